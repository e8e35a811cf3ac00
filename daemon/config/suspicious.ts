// What is allowed and probably not meant: things that nothing uses, and settings that seldom go together.

import type { ConfigPath, ConfigWarningCode, Finding } from './errors.js';
import type { Pieces } from './pieces.js';
import type { ActionInput } from './sections/actions.js';
import { actionsIn, workItemsIn } from './sections/all-work.js';

type Warning = Finding<ConfigWarningCode>;

function unused(path: ConfigPath, message: string, hint: string): Warning {
  return { code: 'CONFIG_UNUSED', path, atKey: true, message, hint };
}

function suspicious(path: ConfigPath, message: string, hint: string, atKey = false): Warning {
  return { code: 'CONFIG_SUSPICIOUS', path, atKey, message, hint };
}

function targetOf({ set, toggle, follow, pulse }: ActionInput): string | undefined {
  return set ?? toggle ?? follow ?? pulse;
}

/** Workqueues without items, and chips without lines. */
function unusedParts(pieces: Pieces): Warning[] {
  const found: Warning[] = [];
  const queues = new Set([...workItemsIn(pieces)].map(({ item }) => item.queue));
  for (const [name, { path }] of pieces.workqueues ?? []) {
    if (!queues.has(name)) found.push(unused(path, 'no work runs on this queue', 'name it as a queue, or remove it'));
  }
  const chips = new Set([...(pieces.lines?.values() ?? [])].map(({ input }) => input?.chip));
  for (const [name, { path }] of pieces.chips ?? []) {
    if (!chips.has(name))
      found.push(unused(path, 'no line is on this chip', 'name it as the chip of a line, or remove it'));
  }
  return found;
}

/**
 * Lines that nothing in the file uses. With a broker every line is told of, a handler module may use any, and the edges of
 * an input are worth watching by themselves.
 */
function unusedLines(pieces: Pieces): Warning[] {
  const handled = pieces.interrupts.some(({ input }) => input?.handler !== undefined);
  if (handled || pieces.mqtt !== undefined) return [];
  const used = new Set<string | undefined>();
  for (const action of actionsIn(pieces)) used.add(targetOf(action));
  const found: Warning[] = [];
  for (const [name, { path, input }] of pieces.lines ?? []) {
    if (used.has(name) || (input?.edge ?? 'none') !== 'none') continue;
    const what = input?.direction === 'out' ? 'no action sets this output' : 'this input reports no edge';
    found.push(unused(path, what, 'only gpio-irqctl and the API can use it'));
  }
  return found;
}

/** Presses of a contact that bounces look like several. */
function bouncing(pieces: Pieces): Warning[] {
  const lines = new Set<string>();
  for (const { input } of pieces.interrupts) if (input?.patterns !== undefined) lines.add(input.line);
  for (const { input } of pieces.chords) for (const line of input?.lines ?? []) lines.add(line);
  return [...lines].flatMap((name) => {
    const entry = pieces.lines?.get(name);
    if (entry === undefined || (entry.input?.debounce ?? 0) > 0) return [];
    const message = 'presses are looked for on a line without debounce';
    return [suspicious(entry.path, message, 'a contact that bounces presses often; add debounce: 5ms', true)];
  });
}

/** A password that goes over the network for everyone to read. */
function clearText(pieces: Pieces): Warning[] {
  const { mqtt } = pieces;
  if (mqtt?.password_file === undefined) return [];
  if (!/^(mqtt|tcp|ws):\/\//.test(mqtt.url) || /^\w+:\/\/(localhost|127\.|\[::1\])/.test(mqtt.url)) return [];
  const message = 'the password goes to the broker unencrypted';
  return [suspicious(['mqtt', 'url'], message, 'write mqtts://, with ca_file for a certificate of your own')];
}

/** Everything in a right configuration that is probably not meant. */
export function checkSuspicious(pieces: Pieces): Warning[] {
  return [...unusedParts(pieces), ...unusedLines(pieces), ...bouncing(pieces), ...clearText(pieces)];
}
