// The line of a file that an error is about, with a caret under what is wrong, as compilers show it.

import type { ConfigNote } from './errors.js';
import { printable } from './errors.js';

/** Most characters of a line that are shown. */
const WIDTH = 100;
/** Of those, before what is wrong, when the line is cut. */
const BEFORE = 40;

/** Characters as a terminal counts them. */
function widthOf(text: string): number {
  return [...text].length;
}

/** Text of a file as it may be shown: a tab is one space, so that the caret stands right. */
function shown(text: string): string {
  return printable(text.replaceAll('\t', ' '), text.length + 1);
}

/**
 * Writes the line and, below it, a caret under what is wrong and the word that was probably meant.
 *
 * @param text of the file
 * @returns lines that end with newlines; empty when there is no such line, or nothing in it
 */
export function formatExcerpt(note: ConfigNote, text: string | undefined): string {
  const line = text?.split(/\r?\n/, note.line)[note.line - 1];
  if (line === undefined || line.trim() === '') return '';
  const start = note.column - 1;
  const end = Math.max(start + 1, Math.min((note.endColumn ?? note.column + 1) - 1, line.length));
  const from = line.length > WIDTH ? Math.max(0, start - BEFORE) : 0;
  const until = Math.min(line.length, from + WIDTH);
  const head = `${from > 0 ? '...' : ''}${shown(line.slice(from, start))}`;
  const marked = shown(line.slice(start, Math.min(end, until)));
  const tail = `${shown(line.slice(Math.min(end, until), until))}${until < line.length ? '...' : ''}`;
  const number = String(note.line);
  const carets = `^${'~'.repeat(Math.max(0, widthOf(marked) - 1))}`;
  const meant = note.suggestion === undefined ? '' : ` ${printable(note.suggestion)}`;
  const margin = ' '.repeat(number.length);
  return `  ${number} | ${head}${marked}${tail}\n  ${margin} | ${' '.repeat(widthOf(head))}${carets}${meant}\n`;
}
