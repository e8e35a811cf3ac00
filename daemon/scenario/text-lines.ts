// A text file line by line, in constant memory however long it is.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { faultOf } from '../file-faults.js';

const CHUNK_BYTES = 64 * 1024;
/** Longest line, in bytes; what is longer is no line of a scenario or a capture. */
export const MAX_LINE_BYTES = 64 * 1024;

/** One line without its end, and its number from 1. */
export interface TextLine {
  readonly text: string;
  readonly number: number;
}

/** Why a file cannot be read as text; `line` is where, from 1. */
export class TextFault extends Error {
  readonly line: number;
  readonly hint: string;

  constructor(line: number, message: string, hint: string) {
    super(message);
    this.line = line;
    this.hint = hint;
  }
}

/**
 * Reads a regular file. Open while it is being read; a reader that stops early closes it.
 *
 * @throws {@link TextFault} for what is not UTF-8, for a line of more than {@link MAX_LINE_BYTES}, and for what is no regular file;
 *   errors of Node when it cannot be opened
 */
export function* textLines(path: string): Generator<TextLine> {
  // Without O_NONBLOCK, opening a FIFO would wait for its writer.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const info = fstatSync(fd);
    if (!info.isFile()) throw new TextFault(1, 'it is not a regular file', 'name a file');
    yield* linesOf(fd);
  } finally {
    closeSync(fd);
  }
}

function* linesOf(fd: number): Generator<TextLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const chunk = new Uint8Array(CHUNK_BYTES);
  let number = 0;
  let rest = '';
  const decode = (bytes: Uint8Array, stream: boolean): string => {
    try {
      return decoder.decode(bytes, { stream });
    } catch {
      throw new TextFault(number + 1, 'it is not UTF-8 text', 'save it as UTF-8');
    }
  };
  for (let length = -1; length !== 0; ) {
    length = readSync(fd, chunk, 0, chunk.length, null);
    rest += decode(chunk.subarray(0, length), length !== 0);
    let start = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', start)) {
      const text = rest.slice(start, end > start && rest[end - 1] === '\r' ? end - 1 : end);
      start = end + 1;
      yield { text, number: ++number };
    }
    rest = rest.slice(start);
    if (rest.length > MAX_LINE_BYTES)
      throw new TextFault(number + 1, 'the line is too long', 'is it such a file at all?');
  }
  if (rest !== '') yield { text: rest, number: number + 1 };
}

/** What a file that cannot be opened is told as. */
export function openFault(error: unknown, path: string): string {
  return error instanceof TextFault ? error.message : faultOf(error, path).words;
}
