// Files with secrets and certificates: read when they can be trusted, within a limit, and with a word of what to do when they cannot be.

import { closeSync, openSync, readSync } from 'node:fs';
import { KernelError } from '../../kernel/errno.js';
import { fileError, ownName, shellWord } from '../file-faults.js';
import { checkTrusted, type TrustKind } from './trusted-file.js';

/** Largest file with a secret or certificates, in bytes. */
const MAX_BYTES = 256 * 1024;

/**
 * Reads a file that others could not have changed or, for a secret, read. Blocks: for the start and a reload.
 *
 * @throws KernelError as `checkTrusted`; `EACCES` with the command that mends it when this user may not read the file, which only root
 *   may after `sudo` with a umask of 077; `EOVERFLOW` for one of more than 256 KiB. No message has anything of the file in it.
 */
export function readTrusted(path: string, kind: TrustKind): Buffer {
  checkTrusted(path, kind);
  const content = readLimited(path, kind);
  if (content.length <= MAX_BYTES) return content;
  throw new KernelError('EOVERFLOW', `${path} is larger than ${MAX_BYTES} bytes`, { subject: path });
}

/** At most one byte more than is allowed. */
function readLimited(path: string, kind: TrustKind): Buffer {
  try {
    const fd = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(MAX_BYTES + 1);
      let length = 0;
      for (let got = -1; got !== 0 && length < buffer.length; length += got) {
        got = readSync(fd, buffer, length, buffer.length - length, null);
      }
      return buffer.subarray(0, length);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const mend = kind === 'secret' ? `chown ${ownName()}` : 'chmod o+r';
    throw fileError(error, path, 'read', { denied: `sudo ${mend} ${shellWord(path)}` });
  }
}
