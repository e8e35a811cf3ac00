// How large a packet the broker may send: seen by its first bytes, before any of it is kept.

/** Longest packet that is taken from the broker, in bytes after its first five. */
export const MAX_PACKET_BYTES = 128 * 1024;

/** Bytes that tell a packet's length, at most; seven bits each, the lowest first. */
const LENGTH_BYTES_MAX = 4;

/** Follows the packets in what the broker sends, however it is cut into chunks. */
export class PacketGuard {
  readonly #max: number;
  /** Bytes of the packet that are still to come. */
  #body = 0;
  /** Bytes of the length that have come; -1 before the packet's first byte. */
  #lengthBytes = -1;
  #length = 0;

  constructor(max = MAX_PACKET_BYTES) {
    this.#max = max;
  }

  /** @returns false once a packet is longer than allowed, or tells no length at all: the connection is of no more use. */
  allows(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#body > 0) {
        const skipped = Math.min(this.#body, chunk.length - at);
        this.#body -= skipped;
        at += skipped;
      } else if (!this.#header(chunk[at++] ?? 0)) {
        return false;
      }
    }
    return true;
  }

  #header(byte: number): boolean {
    if (this.#lengthBytes < 0) {
      this.#lengthBytes = 0;
      this.#length = 0;
      return true;
    }
    this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes++;
    if (this.#length > this.#max) return false;
    if (byte >= 0x80) return this.#lengthBytes < LENGTH_BYTES_MAX;
    this.#body = this.#length;
    this.#lengthBytes = -1;
    return true;
  }
}
