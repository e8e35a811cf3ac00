// Register maps: 16-bit registers of a device on I2C, with what was written to them kept (drivers/base/regmap/).
import { type Coroutine, KernelError } from '../../kernel/index.js';
import { type I2cClient, i2cDevName, i2cSmbusReadWordData, i2cSmbusWriteWordData } from './i2c-core.js';

/** What a device's registers are like (struct regmap_config). */
export interface RegmapConfig {
  /** The registers that do not change by themselves, and so are kept: address and value after reset. */
  readonly regDefaults: readonly (readonly [reg: number, value: number])[];
}

/**
 * The registers of one device. A register that does not change by itself is read from what is kept, not from the device. The
 * caller sees to it that one task at a time uses the map (disable_locking).
 */
export class Regmap {
  readonly #client: I2cClient;
  readonly #driver: string;
  readonly #cache: Map<number, number>;
  #cacheOnly = false;
  #cacheDirty = false;

  /** `driver` is named in the log, in front of the device. */
  constructor(client: I2cClient, driver: string, config: RegmapConfig) {
    this.#client = client;
    this.#driver = driver;
    this.#cache = new Map(config.regDefaults);
  }

  /** Reads a register (regmap_read). `EBUSY` for one that changes by itself while the map is cache-only, or as {@link i2cTransfer}. */
  *read(reg: number): Coroutine<number> {
    const kept = this.#cache.get(reg);
    if (kept !== undefined) return kept;
    if (this.#cacheOnly) throw new KernelError('EBUSY', `register 0x${reg.toString(16)} is not kept`);
    return yield* i2cSmbusReadWordData(this.#client, reg);
  }

  /** Writes a register; one that is kept keeps the value even if the device does not get it (regmap_write). As {@link read}. */
  *write(reg: number, value: number): Coroutine<void> {
    if (this.#cache.has(reg)) this.#cache.set(reg, value);
    if (this.#cacheOnly) this.#cacheDirty = true;
    else yield* i2cSmbusWriteWordData(this.#client, reg, value);
  }

  /** Changes the bits of `mask`, and writes only what is new (regmap_update_bits). As {@link read}. */
  *updateBits(reg: number, mask: number, value: number): Coroutine<void> {
    const before = yield* this.read(reg);
    const after = (before & ~mask) | (value & mask);
    if (after !== before) yield* this.write(reg, after);
  }

  /** What is kept of a register, without a look at the device; 0 for one that is not kept. Any context. */
  cached(reg: number): number {
    return this.#cache.get(reg) ?? 0;
  }

  /** {@link updateBits} of a register that is kept, while the map is cache-only: in any context, as it does not sleep. */
  updateCachedBits(reg: number, mask: number, value: number): void {
    const before = this.cached(reg);
    const after = (before & ~mask) | (value & mask);
    if (after === before) return;
    this.#cache.set(reg, after);
    this.#cacheDirty = true;
  }

  /** From now on writes go to what is kept, and no further; or, with false, to the device again (regcache_cache_only). */
  cacheOnly(enable: boolean): void {
    this.#cacheOnly = enable;
  }

  /**
   * Writes all registers that are kept to the device, if one has changed in cache-only mode (regcache_sync). What fails is
   * logged, and written the next time. Process context; sleeps.
   */
  *sync(): Coroutine<void> {
    if (!this.#cacheDirty) return;
    for (const [reg, value] of this.#cache) {
      try {
        yield* i2cSmbusWriteWordData(this.#client, reg, value);
      } catch (error) {
        if (!(error instanceof KernelError)) throw error;
        const text = `Unable to sync register 0x${reg.toString(16)}. ${error.errno}`;
        this.#client.adapter.machine.printk('err', `${this.#driver} ${i2cDevName(this.#client)}: ${text}`);
        return;
      }
    }
    this.#cacheDirty = false;
  }
}
