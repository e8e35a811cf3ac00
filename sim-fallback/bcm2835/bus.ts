// The bus between the cores and the peripherals: who answers at an address, and what is said of accesses that nobody takes.

/** What a driver needs of a chip: loads and stores at physical addresses. */
export interface Bus {
  /** A 32-bit load. What cannot be read gives 0 and a warning. */
  read32(address: number): number;
  /** A 32-bit store. Only the low 32 bits count; what cannot be written changes nothing, with a warning. */
  write32(address: number, value: number): void;
}

/** The registers of a peripheral, by their offset from its base. */
export interface Peripheral {
  read32(offset: number): number;
  write32(offset: number, value: number): void;
}

/** Who is told of mistakes. */
export interface BusWarnings {
  /** Told of every access that a datasheet would call a mistake, with its address, and of short circuits. */
  readonly warn: (message: string) => void;
  /** The place in the code that makes the access, for the warnings; an empty text where it is not known. */
  readonly accessedBy?: () => string;
}

interface Region {
  readonly base: number;
  readonly end: number;
  readonly peripheral: Peripheral;
}

/** The address map of a chip. */
export class PeripheralBus implements Bus {
  /** For the peripherals' own warnings: what is wrong, and whose access it was. */
  readonly warn: (message: string) => void;
  readonly #name: string;
  readonly #regions: Region[] = [];

  /** `name` is the chip's, as in its warnings. */
  constructor(name: string, { warn, accessedBy = () => '' }: BusWarnings) {
    this.#name = name;
    this.warn = (message) => {
      const by = accessedBy();
      warn(by === '' ? message : `${message}, by ${by}`);
    };
  }

  /** Puts a peripheral of `size` bytes at `base`. */
  map(base: number, size: number, peripheral: Peripheral): void {
    this.#regions.push({ base, end: base + size, peripheral });
  }

  read32(address: number): number {
    const region = this.#find(address);
    if (region !== undefined) return region.peripheral.read32(address - region.base);
    this.warn(`${this.#name}: read of unmapped address 0x${address.toString(16)}`);
    return 0;
  }

  write32(address: number, value: number): void {
    const region = this.#find(address);
    if (region !== undefined) region.peripheral.write32(address - region.base, value);
    else this.warn(`${this.#name}: write to unmapped address 0x${address.toString(16)}`);
  }

  #find(address: number): Region | undefined {
    for (let i = 0; i < this.#regions.length; i++) {
      const region = this.#regions[i];
      if (region !== undefined && address >= region.base && address < region.end) return region;
    }
    return undefined;
  }
}

/** What warnings call an access to an offset that is in no register map, or is not a multiple of 4. */
export function wrongRead(offset: number): string {
  return offset % 4 === 0 ? 'read of unmapped' : 'misaligned read of';
}

/** As {@link wrongRead}, of a store. */
export function wrongWrite(offset: number): string {
  return offset % 4 === 0 ? 'write to unmapped' : 'misaligned write to';
}
