// Every kind of mistake in a configuration has its code and its place, and brings no error that only follows from it.
// Those of interrupts are in mistakes-of-interrupts.spec.ts.

import { describe, expect, it } from 'vitest';
import { formatConfigError } from './errors.js';
import { parseConfig } from './load.js';
import { eachIsToldAtItsPlace, LINES, type Mistake } from './mistakes.spec-helper.js';

const MISTAKES: Mistake[] = [
  ['an empty file', '', 'CONFIG_MISSING', 1, 1, /empty/],
  ['only a comment', '# nothing\n', 'CONFIG_MISSING', 1, 1, /empty/],
  ['a list at the top', '- a\n', 'CONFIG_TYPE', 1, 1, /a list is not a mapping/],
  ['a text at the top', 'hello\n', 'CONFIG_TYPE', 1, 1, /'hello' is not a mapping/],
  ['no lines key', 'driver: sim\n', 'CONFIG_MISSING', 1, 1, /'lines' is missing/],
  ['an empty lines key', 'lines:\n', 'CONFIG_MISSING', 1, 1, /lines: it is empty/],
  ['lines without entries', 'lines: {}\n', 'CONFIG_MISSING', 1, 8, /no line at all/],
  ['lines as a list', 'lines: [1]\n', 'CONFIG_TYPE', 1, 8, /a list is not a mapping/],
  ['an unknown key at the top', `${LINES}interupts: []\n`, 'CONFIG_UNKNOWN_KEY', 4, 1, /did you mean interrupts/],
  ['an unknown driver', `driver: simm\n${LINES}`, 'CONFIG_VALUE', 1, 9, /did you mean sim\?/],
  ['a chip that is no chip', `chip: /dev/gpiochip0\n${LINES}`, 'CONFIG_VALUE', 1, 7, /gpiochip0, or label:/],
  [
    'an unknown key of a line',
    'lines:\n  b: { gpio: 1, activ: low }\n',
    'CONFIG_UNKNOWN_KEY',
    2,
    17,
    /did you mean active/,
  ],
  [
    'a misspelt bias',
    'lines:\n  b: { gpio: 1, bias: pul-up }\n',
    'CONFIG_VALUE',
    2,
    23,
    /lines\.b\.bias: .*did you mean pull-up/,
  ],
  [
    'a bias in the kernel’s spelling',
    'lines:\n  b: { gpio: 1, bias: PULL_UP }\n',
    'CONFIG_VALUE',
    2,
    23,
    /mean pull-up/,
  ],
  ['output for out', 'lines:\n  b: { gpio: 1, direction: output }\n', 'CONFIG_VALUE', 2, 28, /did you mean out\?/],
  ['an edge that is a number', 'lines:\n  b: { gpio: 1, edge: 1 }\n', 'CONFIG_VALUE', 2, 23, /1 is not allowed/],
  ['a line without gpio', 'lines:\n  b:\n    edge: rising\n', 'CONFIG_MISSING', 2, 3, /'gpio' is missing/],
  ['a line that is a number', 'lines:\n  b: 17\n', 'CONFIG_TYPE', 2, 6, /17 is not a mapping/],
  ['an empty line', 'lines:\n  b:\n', 'CONFIG_MISSING', 2, 3, /lines\.b: it is empty/],
  ['a GPIO as a text', 'lines:\n  b: { gpio: GPIO17 }\n', 'CONFIG_TYPE', 2, 14, /'GPIO17' is not a number/],
  ['a GPIO with a fraction', 'lines:\n  b: { gpio: 1.5 }\n', 'CONFIG_TYPE', 2, 14, /1\.5 is not a whole number/],
  ['a negative GPIO', 'lines:\n  b: { gpio: -1 }\n', 'CONFIG_RANGE', 2, 14, /0 or more/],
  ['a GPIO beyond the header', 'lines:\n  b: { gpio: 54 }\n', 'CONFIG_RANGE', 2, 14, /0 to 53/],
  ['a GPIO beyond any chip', 'chip: gpiochip2\nlines:\n  b: { gpio: 1024 }\n', 'CONFIG_RANGE', 3, 14, /1023 at most/],
  ['not a number at all', 'lines:\n  b: { gpio: .nan }\n', 'CONFIG_TYPE', 2, 14, /NaN is not a number/],
  [
    'one GPIO twice',
    'lines:\n  a: { gpio: 4 }\n  b: { gpio: 4 }\n',
    'CONFIG_DUPLICATE',
    3,
    14,
    /GPIO4 is already lines\.a/,
  ],
  ['one name twice', 'lines:\n  a: { gpio: 4 }\n  a: { gpio: 5 }\n', 'CONFIG_DUPLICATE_KEY', 3, 3, /same key twice/],
  ['a name with a space', 'lines:\n  "my button": { gpio: 4 }\n', 'CONFIG_VALUE', 2, 3, /'my button' is not a name/],
  ['a name out of a trap', 'lines:\n  __proto__: { gpio: 4 }\n', 'CONFIG_VALUE', 2, 3, /'__proto__' is not a name/],
  ['a debounce without unit', 'lines:\n  b: { gpio: 1, debounce: 5 }\n', 'CONFIG_TYPE', 2, 27, /5ms, 200us, 2s/],
  [
    'a debounce with a strange unit',
    'lines:\n  b: { gpio: 1, debounce: 5sec }\n',
    'CONFIG_VALUE',
    2,
    27,
    /'5sec' is not a duration/,
  ],
  [
    'a debounce finer than the kernel takes',
    'lines:\n  b: { gpio: 1, debounce: 1500ns }\n',
    'CONFIG_RANGE',
    2,
    27,
    /multiples of 1us/,
  ],
  ['a debounce that is too long', 'lines:\n  b: { gpio: 1, debounce: 9000s }\n', 'CONFIG_RANGE', 2, 27, /0s to /],
  [
    'an edge on an output',
    'lines:\n  l: { gpio: 4, direction: out, edge: both }\n',
    'CONFIG_CONFLICT',
    2,
    33,
    /edge is for an input/,
  ],
  [
    'a storm guard without a rate',
    'storm_guard: { window: 1s }\nlines:\n  b: { gpio: 1 }\n',
    'CONFIG_MISSING',
    1,
    1,
    /'rate' is missing/,
  ],
  [
    'a storm guard with a misspelt key',
    'lines:\n  b: { gpio: 1, edge: both, storm_guard: { rate: 9, backof: 1s } }\n',
    'CONFIG_UNKNOWN_KEY',
    2,
    53,
    /did you mean backoff\?/,
  ],
  [
    'a longest back-off that is shorter than the first',
    'storm_guard: { rate: 9, max_backoff: 50ms }\nlines:\n  b: { gpio: 1 }\n',
    'CONFIG_CONFLICT',
    1,
    38,
    /at least 100ms/,
  ],
  [
    'the same at a line',
    'lines:\n  b: { gpio: 1, edge: both, storm_guard: { rate: 9, backoff: 2s, max_backoff: 1s } }\n',
    'CONFIG_CONFLICT',
    2,
    79,
    /at least 2s/,
  ],
  [
    'a window in which no edge may come',
    'storm_guard: { rate: 4, window: 200ms }\nlines:\n  b: { gpio: 1 }\n',
    'CONFIG_CONFLICT',
    1,
    33,
    /at least 250ms/,
  ],
  [
    'a storm guard on a line without edges',
    'lines:\n  b: { gpio: 1, storm_guard: { rate: 9 } }\n',
    'CONFIG_CONFLICT',
    2,
    17,
    /give the line an edge/,
  ],
  [
    'a debounce on an output',
    'lines:\n  l: { gpio: 4, direction: out, debounce: 1ms }\n',
    'CONFIG_CONFLICT',
    2,
    33,
    /debounce is for/,
  ],
  [
    'an initial level on an input',
    'lines:\n  b: { gpio: 4, initial: 1 }\n',
    'CONFIG_CONFLICT',
    2,
    17,
    /initial is for an output/,
  ],
  [
    'a drive on an input',
    'lines:\n  b: { gpio: 4, drive: open-drain }\n',
    'CONFIG_CONFLICT',
    2,
    17,
    /drive is for an output/,
  ],
  [
    'an initial level of 2',
    'lines:\n  l: { gpio: 4, direction: out, initial: 2 }\n',
    'CONFIG_VALUE',
    2,
    42,
    /one of 0, 1/,
  ],
  [
    'one chip under two names',
    `chips: { x: gpiochip1, y: gpiochip1 }\n${LINES}`,
    'CONFIG_DUPLICATE',
    1,
    27,
    /chips\.x/,
  ],
  [
    'the chip itself as another',
    `chip: gpiochip1\nchips: { x: gpiochip1 }\n${LINES}`,
    'CONFIG_DUPLICATE',
    2,
    13,
    /chip/,
  ],
  [
    'a line on no chip',
    'lines: { b: { gpio: 1, chip: x } }\n',
    'CONFIG_REFERENCE',
    1,
    30,
    /no chip 'x'; define it under/,
  ],
  ['an event buffer of 2000', `event_buffer: 2000\n${LINES}`, 'CONFIG_RANGE', 1, 15, /1024 at most/],
  [
    'a broker with a password and nobody whose it is',
    `mqtt: { url: mqtt://h, password_file: p }\n${LINES}`,
    'CONFIG_CONFLICT',
    1,
    24,
    /password goes with a username/,
  ],
  [
    'a password in the address of the broker, which is not told on',
    `mqtt: { url: "mqtt://me:hunt/er2@h" }\n${LINES}`,
    'CONFIG_VALUE',
    1,
    14,
    /^(?!.*er2).*'mqtt:\/\/\.\.\.@h' is not allowed here; write .*username and password_file/,
  ],
  ['a broker at no port', `mqtt: { url: "mqtt://h:65536" }\n${LINES}`, 'CONFIG_VALUE', 1, 14, /write mqtt:\/\/HOST/],
  ['a broker at no address', `mqtt: { url: "ws://1.2.3.999" }\n${LINES}`, 'CONFIG_VALUE', 1, 14, /no such address/],
  [
    'an API at no port',
    `http: { listen: "127.0.0.1:65536", token_file: t }\n${LINES}`,
    'CONFIG_VALUE',
    1,
    17,
    /of this machine and a port/,
  ],
  [
    'a certificate without its key',
    `mqtt: { url: mqtt://h, cert_file: c }\n${LINES}`,
    'CONFIG_CONFLICT',
    1,
    24,
    /key_file/,
  ],
  [
    'an API for the whole network',
    `http: { listen: "0.0.0.0:80", token_file: t }\n${LINES}`,
    'CONFIG_VALUE',
    1,
    17,
    /of this machine and a port/,
  ],
  [
    'a chord of one line twice',
    `${LINES.replace('rising', 'both')}chords: [ { lines: [button1, button1], do: [ { log: x } ] } ]\n`,
    'CONFIG_DUPLICATE',
    4,
    30,
    /button1 twice/,
  ],
  [
    'a chord of a line with one edge',
    `lines: { a: { gpio: 1, edge: both }, b: { gpio: 2, edge: rising } }\nchords: [ { lines: [a, b], do: [ { log: x } ] } ]\n`,
    'CONFIG_CONFLICT',
    2,
    24,
    /write edge: both at lines\.b/,
  ],
  [
    'a trigger that nothing runs',
    `${LINES}triggers: [ { name: t, work: { do: [ { log: x } ] } } ]\n`,
    'CONFIG_MISSING',
    4,
    13,
    /add schedule, hook, mqtt/,
  ],
  ['an unknown level of the log', `log: { level: verbos }\n${LINES}`, 'CONFIG_VALUE', 1, 15, /one of fatal/],
  ['an unclosed list', 'lines: [1, 2\n', 'CONFIG_SYNTAX', 2, 1, /\]/],
  ['a tab as indentation', 'lines:\n\tb: 1\n', 'CONFIG_SYNTAX', 2, 1, /indent with spaces/],
  ['wrong indentation', 'lines:\n  b: { gpio: 1 }\n c: { gpio: 2 }\n', 'CONFIG_SYNTAX', 3, 1, /same column/],
  ['a second document', `${LINES}---\n${LINES}`, 'CONFIG_SYNTAX', 4, 1, /second document/],
  ['a bad escape', 'lines: "\\q"\n', 'CONFIG_SYNTAX', 1, 9, /escape/],
  ['a tag', 'lines: !!js/function "x"\n', 'CONFIG_TYPE', 1, 22, /the tag !!js/],
  ['an alias of nothing', 'lines: *nope\n', 'CONFIG_REFERENCE', 1, 8, /alias/],
  ['an alias of itself', 'lines: &a [*a]\n', 'CONFIG_LIMIT', 1, 12, /nested too deeply/],
  ['a key that is a list', 'lines:\n  ? [a]\n  : 1\n', 'CONFIG_SYNTAX', 2, 5, /not a plain word/],
];

describe('a wrong configuration', () => {
  eachIsToldAtItsPlace(MISTAKES);

  it('has all its errors listed at once, in the order of the file', () => {
    const text = [
      'drver: sim',
      'lines:',
      '  a: { gpio: 99, bias: up }',
      '  b: { gpio: 5, direction: out, edge: both }',
      'interrupts:',
      '  - line: c',
      '    top_half: [ { log: x }, { set: d, value: 7 } ]',
    ].join('\n');
    const result = parseConfig(text, 'f.yaml');
    const codes = result.ok ? [] : result.errors.map((e) => `${e.line}:${e.column} ${e.code}`);
    expect(codes).toEqual(['1:1 CONFIG_UNKNOWN_KEY', '3:24 CONFIG_VALUE', '4:33 CONFIG_CONFLICT', '7:46 CONFIG_VALUE']);
  });

  it('stops at bombs of aliases, of depth and of width', () => {
    const laughs = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 10; i++)
      laughs.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(',')}]`,
      );
    const bombs = [
      laughs.join('\n'),
      '['.repeat(100_000),
      '- '.repeat(20_000),
      `lines: ${'{a: '.repeat(200)}1${'}'.repeat(200)}`,
      `lines: [${'1,'.repeat(100_000)}1]`,
    ];
    for (const bomb of bombs) {
      const result = parseConfig(bomb, 'bomb.yaml');
      expect(result.ok ? [] : result.errors.map((e) => e.code)).toEqual(['CONFIG_LIMIT']);
    }
  });

  it('never puts a control character of the file on the terminal', () => {
    const result = parseConfig('lines:\n  "b\\e[31m": { gpio: 1 }\n', 'f.yaml');
    expect(result.ok ? '' : result.errors.map(formatConfigError).join()).toContain('b\\u{1b}[31m');
  });

  it('lists at most a hundred errors', () => {
    const text = `lines:\n${Array.from({ length: 300 }, (_, i) => `  l${i}: ${i}`).join('\n')}`;
    const result = parseConfig(text, 'f.yaml');
    expect(result.ok ? 0 : result.errors.length).toBe(100);
  });
});
