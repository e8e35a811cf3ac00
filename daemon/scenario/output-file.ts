// A file that is written in pieces: a recording, a trace, a dump.

import { closeSync, openSync, writeSync } from 'node:fs';
import { writeError } from '../file-faults.js';

/** Open from its begin to {@link close}. What was in the file before is gone. */
export class OutputFile {
  readonly #path: string;
  readonly #fd: number;

  /** @throws KernelError with the path: it cannot be made */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, 'w', 0o644);
    } catch (error) {
      throw writeError(error, path);
    }
  }

  /** @throws KernelError with the path, such as `ENOSPC`; part of the text may be written then */
  readonly write = (text: string): void => {
    const bytes = Buffer.from(text);
    try {
      // A disk that is almost full takes a part, and says why only when it is asked to take the rest.
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      throw writeError(error, this.#path);
    }
  };

  close(): void {
    closeSync(this.#fd);
  }
}
