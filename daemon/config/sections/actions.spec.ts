// Which action may stand where, with what, and why not elsewhere.

import { describe, expect, it } from 'vitest';
import { parseConfig } from '../load.js';

const LINES = `
lines:
  button: { gpio: 17, edge: both }
  other: { gpio: 18, edge: both }
  falls: { gpio: 22, edge: falling }
  led: { gpio: 4, direction: out }
mqtt: { url: mqtt://localhost }
`;

/** What is said of a file: message and hint of each error, or nothing. */
function said(text: string): string[] {
  const result = parseConfig(LINES + text, '/etc/gpio-irqd/config.yaml');
  return result.ok ? [] : result.errors.map(({ path, message, hint }) => `${path}: ${message}; ${hint}`);
}

const interrupt = (rest: string, line = 'button'): string => `interrupts: [{ line: ${line}, ${rest} }]`;
const trigger = (rest: string): string => `triggers: [{ name: t, ${rest} }]`;

describe('what is right', () => {
  it.each([
    ['top half', interrupt('top_half: [{ follow: led, invert: true }, { pulse: led, for: 200ms }, { toggle: led }]')],
    ['tasklet', interrupt('tasklet: [{ set: led, value: 1 }, { pulse: led, for: 1s, value: 0 }]')],
    ['thread', interrupt('thread: { priority: 60, do: [{ log: "{edge} {time}", limit: { rate: 5, per: 1min } }] }')],
    ['flags', interrupt('flags: [oneshot, no_autoen], affinity: [0], thread: [{ toggle: led }]')],
    ['exec', interrupt('work: { do: [{ exec: [/bin/true, "{line}"], env: { A: "{edge}" }, timeout: 5s }] }')],
    [
      'http',
      interrupt('work: { do: [{ http: "https://x.org/{line}?a={edge}", headers: { X-A: "{seqno}" }, retries: 3 }] }'),
    ],
    ['mqtt', interrupt('work: { do: [{ mqtt: "home/{line}", payload: "{edge}", qos: 2, retain: true }] }')],
    ['patterns', interrupt('patterns: [{ on: double, within: 400ms, do: [{ log: "{pattern} {held} {count}" }] }]')],
    ['chords', 'chords: [{ lines: [button, other], do: [{ log: "{lines}" }, { pulse: led, for: 1s }] }]'],
    [
      'schedule',
      trigger('schedule: "0 7 * * 1-5", timezone: Europe/Berlin, catch_up: true, work: { do: [{ log: "{time}" }] }'),
    ],
    ['hook', trigger('hook: ring, work: { do: [{ exec: [/bin/echo, "{payload}"] }] }')],
    ['message', trigger('mqtt: home/+/ring, work: { do: [{ log: "{topic}: {payload}" }] }')],
  ])('%s', (_, text) => {
    expect(said(text)).toEqual([]);
  });
});

describe('what may not stand in its context says why', () => {
  it.each([
    [interrupt('top_half: [{ log: x }]'), 'log in top_half', 'move it to thread'],
    [interrupt('tasklet: [{ mqtt: x }]'), 'mqtt in tasklet', 'move it to work'],
    [interrupt('thread: [{ http: "http://x" }]'), 'http in thread', 'move it to work'],
    [interrupt('patterns: [{ on: single, do: [{ follow: led }] }]'), 'follow in press', 'there is no edge'],
    [trigger('hook: h, work: { do: [{ follow: led }] }'), 'follow in hook', 'there is no edge'],
    [interrupt('top_half: [{ follow: led }]', 'falls'), 'falls reports its falling edge only', 'edge: both'],
    [
      interrupt('patterns: [{ on: single, do: [{ toggle: led }] }]', 'falls'),
      'falls reports its falling',
      'edge: both',
    ],
  ])('%s', (text, message, hint) => {
    expect(said(text)).toEqual([expect.stringMatching(new RegExp(`${message}.*${hint}`))]);
  });
});

describe('placeholders', () => {
  it.each([
    [interrupt('work: { do: [{ log: "{payload}" }] }'), '{payload} has no value here; there are {line}'],
    [interrupt('patterns: [{ on: single, do: [{ exec: [/bin/echo, "{edge}"] }] }]'), '{edge} has no value here'],
    [trigger('schedule: "0 7 * * *", work: { do: [{ mqtt: "a/{topic}" }] }'), '{topic} has no value here'],
    [trigger('hook: h, work: { do: [{ http: "http://x", headers: { A: "{line}" } }] }'), '{line} has no value here'],
  ])('%s', (text, message) => {
    expect(said(text)).toEqual([expect.stringContaining(message)]);
  });
});

describe('what comes from outside', () => {
  it('chooses no program', () => {
    const text = trigger('hook: h, work: { do: [{ exec: ["/usr/bin/{payload}"] }] }');
    expect(said(text)).toEqual([expect.stringContaining('would choose the program')]);
  });

  it.each([
    '{payload}',
    'http://{payload}/x',
    'https://example{payload}',
    'https://',
    'ftp://example.org/',
    'example.org',
  ])('chooses no server: %s', (url) => {
    const text = trigger(`hook: h, work: { do: [{ http: "${url}" }] }`);
    expect(said(text)).toEqual([expect.stringContaining('no http or https URL')]);
  });

  it('a password stands in a header, not in a URL', () => {
    const text = interrupt('work: { do: [{ http: "https://me:secret@example.org/" }] }');
    expect(said(text)).toEqual([expect.stringContaining('Authorization')]);
  });
});

describe('triggers', () => {
  const work = 'work: { do: [{ log: x }] }';

  it.each([
    [trigger(`schedule: "61 7 * * *", ${work}`), 'triggers[0].schedule'],
    [trigger(`schedule: "0 0 31 2 *", ${work}`), 'it never comes'],
    [trigger(`schedule: "0 7 * * *", timezone: Europe/Bonn, ${work}`), 'no time zone'],
    [trigger(`mqtt: "a/b#", ${work}`), 'triggers[0].mqtt'],
  ])('%s', (text, message) => {
    expect(said(text)).toEqual([expect.stringContaining(message)]);
  });
});

describe('interrupts', () => {
  it('are on CPUs that there are', () => {
    const text = interrupt('affinity: [1], thread: [{ toggle: led }]');
    expect(said(text)).toEqual([expect.stringContaining('write cpus: 2')]);
    expect(said(`cpus: 2\n${text}`)).toEqual([]);
  });

  it('have one pattern of a kind that can come once', () => {
    const single = '{ on: single, do: [{ toggle: led }] }';
    expect(said(interrupt(`patterns: [${single}, ${single}]`))).toEqual([expect.stringContaining('single twice')]);
  });

  it('have several long presses, each with its time', () => {
    const long = (after: string) => `{ on: long, after: ${after}, do: [{ toggle: led }] }`;
    expect(said(interrupt(`patterns: [${long('1s')}, ${long('3s')}]`))).toEqual([]);
  });
});
