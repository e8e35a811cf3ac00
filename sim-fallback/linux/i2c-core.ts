// I2C for drivers: adapters, clients and transfers, and SMBus made of transfers (drivers/i2c/i2c-core-base.c, i2c-core-smbus.c).
import { type Coroutine, KernelError, type Machine, Mutex, mutexLock, mutexUnlock } from '../../kernel/index.js';
import { effect } from '../../kernel/sched/effect.js';

/** Flag of a message that reads; without it, it writes. */
export const I2C_M_RD = 0x0001;

/** A message, from its START on (struct i2c_msg). */
export interface I2cMsg {
  /** 7 bits. */
  readonly addr: number;
  /** {@link I2C_M_RD} or 0. */
  readonly flags: number;
  /** What is written, or where what is read goes; its length is the message's. */
  readonly buf: Uint8Array;
}

/** What makes transfers on an adapter's bus (struct i2c_algorithm). Process context, with the bus locked. */
export interface I2cAlgorithm {
  /** Returns how many messages were moved: all of them. Throws what went wrong. */
  xfer(adapter: I2cAdapter, msgs: readonly I2cMsg[]): Coroutine<number>;
}

/** A bus with its controller (struct i2c_adapter). */
export class I2cAdapter {
  readonly machine: Machine;
  /** Number of the bus: 1 for /dev/i2c-1. */
  readonly nr: number;
  readonly algo: I2cAlgorithm;
  /** How long a transfer may take, in jiffies; default 1 s. */
  timeout: number;
  readonly busLock = new Mutex('i2c_register_adapter');

  constructor(machine: Machine, nr: number, algo: I2cAlgorithm) {
    this.machine = machine;
    this.nr = nr;
    this.algo = algo;
    this.timeout = machine.hz;
  }
}

/** A device on a bus, as its driver has it (struct i2c_client). */
export interface I2cClient {
  readonly adapter: I2cAdapter;
  /** 7 bits. */
  readonly addr: number;
}

/** Name of a client's device, as in the log and in /proc/interrupts: `1-0020` (dev_name). */
export function i2cDevName({ adapter, addr }: I2cClient): string {
  return `${adapter.nr}-${addr.toString(16).padStart(4, '0')}`;
}

/**
 * Moves messages in one go: each begins with a START, one STOP ends them (i2c_transfer). Process context; sleeps.
 *
 * @returns the number of messages
 * @throws KernelError EINVAL (no message), or what the adapter says: for the Pi's EREMOTEIO (not acknowledged), ETIMEDOUT,
 *   ENOTSUP
 */
export const i2cTransfer = effect(function* i2cTransfer(adapter: I2cAdapter, msgs: readonly I2cMsg[]) {
  yield* mutexLock(adapter.busLock);
  try {
    if (msgs.length === 0) {
      adapter.machine.warn('', '__i2c_transfer');
      throw new KernelError('EINVAL', `i2c-${adapter.nr}: a transfer of no message`);
    }
    return yield* adapter.algo.xfer(adapter, msgs);
  } finally {
    mutexUnlock(adapter.busLock);
  }
});

/** Writes bytes to a device (i2c_master_send); returns how many. As {@link i2cTransfer}. */
export const i2cMasterSend = effect(function* i2cMasterSend({ adapter, addr }: I2cClient, buf: Uint8Array) {
  yield* i2cTransfer(adapter, [{ addr, flags: 0, buf }]);
  return buf.length;
});

/** Writes a command and reads what the device answers to it. */
function* ask({ adapter, addr }: I2cClient, command: number, length: number): Coroutine<Uint8Array> {
  const answer = new Uint8Array(length);
  yield* i2cTransfer(adapter, [
    { addr, flags: 0, buf: Uint8Array.of(command) },
    { addr, flags: I2C_M_RD, buf: answer },
  ]);
  return answer;
}

/** Reads a byte, 0 to 255, at a command or register (i2c_smbus_read_byte_data). As {@link i2cTransfer}. */
export const i2cSmbusReadByteData = effect(function* i2cSmbusReadByteData(client: I2cClient, command: number) {
  const [value = 0] = yield* ask(client, command, 1);
  return value;
});

/** Writes a byte at a command or register (i2c_smbus_write_byte_data). As {@link i2cTransfer}. */
export const i2cSmbusWriteByteData = effect(function* i2cSmbusWriteByteData(
  client: I2cClient,
  command: number,
  value: number,
) {
  yield* i2cMasterSend(client, Uint8Array.of(command, value));
});

/** Reads 16 bits, the lower ones first on the wire (i2c_smbus_read_word_data). As {@link i2cTransfer}. */
export const i2cSmbusReadWordData = effect(function* i2cSmbusReadWordData(client: I2cClient, command: number) {
  const [low = 0, high = 0] = yield* ask(client, command, 2);
  return low | (high << 8);
});

/** Writes 16 bits, the lower ones first on the wire (i2c_smbus_write_word_data). As {@link i2cTransfer}. */
export const i2cSmbusWriteWordData = effect(function* i2cSmbusWriteWordData(
  client: I2cClient,
  command: number,
  value: number,
) {
  yield* i2cMasterSend(client, Uint8Array.of(command, value & 0xff, value >> 8));
});
