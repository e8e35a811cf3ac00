// Text of the kernel log, the model's and the recorded one, without what differs between two builds and two runs.
import type { LineNames } from './events.js';

/** What the recordings leave out of the model's reports: stacks, the context chain, and the model's hint. */
const DUMP =
  /^(CPU: \d+ PID: |Workqueue: |Call Trace:$| <\/?[A-Z]+>$|called: |---\[ end trace|irq event stamp|hardirqs last|softirqs last)/;
/** A frame of JavaScript, or of a function of the kernel that the model stands in for. */
const FRAME = /:\d+:\d+\)?$|^\s+\w+ \(kernel\/[\w/]+\.c\)$/;

/** Numbers, addresses, places in source code and the release: the same rules for both sides. */
function common(line: string): string {
  return line
    .replace(/^6\.12\.\S* (Not tainted|Tainted: .*)$/, 'RELEASE')
    .replace(/\bffff8880[0-9a-f]{8}\b/, 'ADDR')
    .replace(/\[<[0-9a-fA-FDR]+>\]/g, '[<ADDR>]')
    .replace(/\+OFF\/LEN/g, '')
    .replace(/\.(?:constprop|isra)\.\d+/g, '')
    .replace(/context at .*$/, 'context at PLACE')
    .replace(/^WARNING: CPU: \S+ PID: \S+ at (?:.* )?(\w+)$/, 'WARNING: CPU: C PID: P at PLACE $1')
    .replace(/ set at \[<ADDR>\] .*$/, '')
    .replace(/\bat: .+$/, 'at: PLACE')
    .replace(/(entered softirq \d+ \w+) (?:.* )?with preempt_count/, '$1 ADDR with preempt_count')
    .replace(/\bkworker\/(?:u?\d+:\d+H?|C:N)/g, 'kworker/C:N')
    .replace(/\[\d+\]$/, '[P]')
    .replace(/(kworker\/C:N|ksoftirqd\/\d+|\b[A-Za-z][\w-]*)\/(?:\d+|P)(?=[\s.:/]|$)/g, '$1/P')
    .replace(/^(genirq: exiting task ".*") \(\w+\)/, '$1 (P)')
    .replace(/\bpid: \d+/, 'pid: P');
}

/** A place stands on a line of its own behind this one. */
function followsPlace(line: string | undefined): boolean {
  return line?.includes('is trying to release lock') === true;
}

function finish(lines: readonly string[]): string[] {
  return lines
    .map(common)
    .map((line, i, all) => (followsPlace(all[i - 1]) ? 'PLACE' : line))
    .filter((line) => !DUMP.test(line));
}

/** The kernel text of a recording, line by line. */
export function recordedText(lines: readonly string[]): string[] {
  return finish(lines);
}

/** What the model printed, line by line; the interrupt numbers of the scenario's lines become `<A>`. */
export function modelText(messages: readonly string[], names: LineNames): string[] {
  const lines = messages
    .flatMap((message) => message.replace(/\n$/, '').split('\n'))
    .map((line, i, all) => (followsPlace(all[i - 1]) ? 'PLACE' : line))
    .filter((line) => !FRAME.test(line) || /\bat: |^WARNING: CPU/.test(line))
    .map((line) =>
      line.replace(/\b(irq event |irq ?#?|irq\/)(\d+)\b/gi, (text, before: string, irq: string) => {
        const name = names.get(Number(irq));
        return name === undefined ? text : `${before}<${name}>`;
      }),
    );
  return finish(lines);
}

/** Equal, with `<*>` in the recording for any line. */
export function sameText(recorded: string, model: string): boolean {
  if (!recorded.includes('<*>')) return recorded === model;
  return recorded === model.replace(/<[^<>]+>/, '<*>');
}
