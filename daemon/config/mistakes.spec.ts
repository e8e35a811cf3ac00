// Every kind of mistake in a configuration has its code and its place, and brings no error that only follows from it.

import { describe, expect, it } from 'vitest';
import { type ConfigErrorCode, formatConfigError } from './errors.js';
import { parseConfig } from './load.js';

const LINES = `lines:
  button1: { gpio: 17, edge: rising }
  led1: { gpio: 4, direction: out }
`;
/** Line 4 is `interrupts:`, line 5 the entry, the given text starts at line 6, column 5. */
const interrupt = (body: string): string => `${LINES}interrupts:\n  - line: button1\n    ${body}\n`;

type BadCase = [what: string, text: string, code: ConfigErrorCode, line: number, column: number, message: RegExp];

const BAD: BadCase[] = [
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
    'an interrupt on no line',
    `${LINES}interrupts:\n  - line: buton1\n    thread: [ { log: x } ]\n`,
    'CONFIG_REFERENCE',
    5,
    11,
    /did you mean button1/,
  ],
  [
    'an interrupt on an output',
    `${LINES}interrupts:\n  - line: led1\n    thread: [ { log: x } ]\n`,
    'CONFIG_CONFLICT',
    5,
    11,
    /led1 is an output/,
  ],
  [
    'an interrupt without line',
    `${LINES}interrupts:\n  - thread: [ { log: x } ]\n`,
    'CONFIG_MISSING',
    5,
    5,
    /'line' is missing/,
  ],
  [
    'an interrupt on a line without edge',
    'lines:\n  b: { gpio: 1 }\ninterrupts:\n  - line: b\n    thread: [ { log: x } ]\n',
    'CONFIG_CONFLICT',
    4,
    11,
    /give lines\.b an edge/,
  ],
  [
    'two interrupts on one line',
    `${interrupt('thread: [ { log: x } ]')}  - line: button1\n    thread: [ { log: y } ]\n`,
    'CONFIG_DUPLICATE',
    7,
    11,
    /EBUSY/,
  ],
  [
    'two interrupts of one name',
    'lines: { a: { gpio: 1, edge: both }, b: { gpio: 2, edge: both } }\ninterrupts:\n  - { line: a, name: n, thread: [ { log: x } ] }\n  - { line: b, name: n, thread: [ { log: x } ] }\n',
    'CONFIG_DUPLICATE',
    4,
    22,
    /'n' is taken by interrupts\[0\]/,
  ],
  [
    'an interrupt that does nothing',
    `${LINES}interrupts:\n  - line: button1\n`,
    'CONFIG_MISSING',
    5,
    5,
    /does nothing/,
  ],
  ['interrupts as a mapping', `${LINES}interrupts: { a: 1 }\n`, 'CONFIG_TYPE', 4, 13, /a mapping is not a list/],
  ['an empty thread', interrupt('thread: []'), 'CONFIG_MISSING', 6, 13, /at least one/],
  ['a thread that is one action', interrupt('thread: { log: x }'), 'CONFIG_TYPE', 6, 13, /behind a dash/],
  ['a log in the top half', interrupt('top_half: [ { log: x } ]'), 'CONFIG_CONTEXT', 6, 19, /atomic context/],
  [
    'a program in the top half',
    interrupt('top_half: [ { exec: [/bin/true] } ]'),
    'CONFIG_CONTEXT',
    6,
    19,
    /atomic context.*; move it to work/,
  ],
  [
    'a program in the thread',
    interrupt('thread: [ { exec: [/bin/true] } ]'),
    'CONFIG_CONTEXT',
    6,
    17,
    /move it to work/,
  ],
  ['a value of 2', interrupt('top_half: [ { set: led1, value: 2 } ]'), 'CONFIG_VALUE', 6, 37, /one of 0, 1/],
  ['a value that is true', interrupt('top_half: [ { set: led1, value: true } ]'), 'CONFIG_VALUE', 6, 37, /one of 0, 1/],
  ['a set without value', interrupt('top_half: [ { set: led1 } ]'), 'CONFIG_MISSING', 6, 17, /'value' is missing/],
  [
    'a toggle with value',
    interrupt('top_half: [ { toggle: led1, value: 1 } ]'),
    'CONFIG_CONFLICT',
    6,
    33,
    /goes with set/,
  ],
  [
    'setting an input',
    interrupt('top_half: [ { set: button1, value: 1 } ]'),
    'CONFIG_CONFLICT',
    6,
    24,
    /button1 is an input/,
  ],
  [
    'setting no line',
    interrupt('top_half: [ { set: led2, value: 1 } ]'),
    'CONFIG_REFERENCE',
    6,
    24,
    /did you mean led1/,
  ],
  [
    'a misspelt action',
    interrupt('thread: [ { sett: led1, value: 1 } ]'),
    'CONFIG_UNKNOWN_KEY',
    6,
    17,
    /did you mean set\?/,
  ],
  [
    'two actions in one',
    interrupt('thread: [ { log: x, toggle: led1 } ]'),
    'CONFIG_CONFLICT',
    6,
    15,
    /one action an entry/,
  ],
  ['no action in one', interrupt('thread: [ {} ]'), 'CONFIG_MISSING', 6, 15, /no action/],
  ['a log that is a number', interrupt('thread: [ { log: 5 } ]'), 'CONFIG_TYPE', 6, 22, /in quotes: "5"/],
  ['an unknown placeholder', interrupt('thread: [ { log: "{lin}" } ]'), 'CONFIG_VALUE', 6, 22, /did you mean \{line\}/],
  ['a lone brace', interrupt('thread: [ { log: "a } b" } ]'), 'CONFIG_VALUE', 6, 22, /'}' without its partner/],
  [
    'work on no queue',
    interrupt('work: { queue: slow, do: [ { log: x } ] }'),
    'CONFIG_REFERENCE',
    6,
    20,
    /no workqueue 'slow'/,
  ],
  [
    'work in a list on no queue',
    interrupt('work: [ { queue: slow, do: [ { log: x } ] } ]'),
    'CONFIG_REFERENCE',
    6,
    22,
    /no workqueue/,
  ],
  ['work without do', interrupt('work: { queue: system_wq }'), 'CONFIG_MISSING', 6, 5, /'do' is missing/],
  [
    'work with an unknown key',
    interrupt('work: { qeue: slow, do: [ { log: x } ] }'),
    'CONFIG_UNKNOWN_KEY',
    6,
    13,
    /did you mean queue/,
  ],
  ['a program as a text', interrupt('work: { do: [ { exec: /bin/true } ] }'), 'CONFIG_TYPE', 6, 27, /one by one/],
  [
    'a program with a number',
    interrupt('work: { do: [ { exec: [/bin/sleep, 5] } ] }'),
    'CONFIG_TYPE',
    6,
    40,
    /in quotes: "5"/,
  ],
  [
    'a module that is no JavaScript',
    interrupt('work: { do: [ { module: fft.py } ] }'),
    'CONFIG_VALUE',
    6,
    29,
    /a JavaScript module, \.\/NAME\.js/,
  ],
  [
    'a module on a queue of the kernel',
    interrupt('work: { do: [ { module: examples/handlers/button2.js } ] }'),
    'CONFIG_CONFLICT',
    6,
    21,
    /define one under workqueues with flags: \[cpu_intensive\]/,
  ],
  ['a module in a thread', interrupt('thread: [ { module: fft.js } ]'), 'CONFIG_CONTEXT', 6, 17, /move it to work/],
  [
    'a module on a queue that does not compute',
    `${interrupt('work: { queue: q, do: [ { module: examples/handlers/button2.js } ] }')}workqueues: { q: {} }\n`,
    'CONFIG_CONFLICT',
    6,
    31,
    /write flags: \[cpu_intensive\] at workqueues\.q/,
  ],
  [
    'a module that is not there',
    `${interrupt('work: { queue: q, do: [ { module: fft.js } ] }')}workqueues: { q: { flags: [cpu_intensive] } }\n`,
    'CONFIG_REFERENCE',
    6,
    39,
    /no file 'fft\.js'/,
  ],
  ['no program', interrupt('work: { do: [ { exec: [] } ] }'), 'CONFIG_MISSING', 6, 27, /it is empty/],
  [
    'a time-out of nothing',
    interrupt('work: { do: [ { log: x, timeout: 5s } ] }'),
    'CONFIG_CONFLICT',
    6,
    29,
    /goes with exec/,
  ],
  [
    'a time-out without unit',
    interrupt('work: { do: [ { exec: [/x], timeout: 5 } ] }'),
    'CONFIG_TYPE',
    6,
    42,
    /with its unit/,
  ],
  [
    'a handler beside actions',
    interrupt('thread: [ { log: x } ]\n    handler: ./x.js'),
    'CONFIG_CONFLICT',
    7,
    5,
    /handler beside thread/,
  ],
  ['a handler that is no module', interrupt('handler: ./x.py'), 'CONFIG_VALUE', 6, 14, /JavaScript or TypeScript/],
  ['a handler that is not there', interrupt('handler: ./not-there.js'), 'CONFIG_REFERENCE', 6, 14, /no file/],
  [
    'an unknown queue flag',
    `${LINES}workqueues:\n  q: { flags: [unbond] }\n`,
    'CONFIG_VALUE',
    5,
    16,
    /did you mean unbound/,
  ],
  ['flags as a text', `${LINES}workqueues:\n  q: { flags: unbound }\n`, 'CONFIG_TYPE', 5, 15, /\[unbound\]/],
  ['a max_active of 513', `${LINES}workqueues:\n  q: { max_active: 513 }\n`, 'CONFIG_RANGE', 5, 20, /512 at most/],
  [
    'memory for a queue without threads',
    `${LINES}workqueues:\n  q: { memory_max: 64M }\n`,
    'CONFIG_CONFLICT',
    5,
    8,
    /add cpu_intensive/,
  ],
  ['memory without a unit', `${LINES}workqueues:\n  q: { memory_max: 64 }\n`, 'CONFIG_TYPE', 5, 20, /64M, 1G/],
  ['memory in a unit of its own', `${LINES}workqueues:\n  q: { memory_max: 64MB }\n`, 'CONFIG_VALUE', 5, 20, /64M, 1G/],
  ['too little memory', `${LINES}workqueues:\n  q: { memory_max: 1M }\n`, 'CONFIG_RANGE', 5, 20, /16M to 16G/],
  ['a queue of the kernel', `${LINES}workqueues:\n  system_wq: {}\n`, 'CONFIG_DUPLICATE', 5, 3, /kernel's own/],
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
    'a message without a broker',
    interrupt('work: { do: [ { mqtt: a } ] }'),
    'CONFIG_REFERENCE',
    6,
    21,
    /add the section mqtt/,
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
  ['a pulse without its time', interrupt('thread: [ { pulse: led1 } ]'), 'CONFIG_MISSING', 6, 15, /for: 200ms/],
  [
    'a priority beyond them',
    interrupt('thread: { priority: 100, do: [ { log: x } ] }'),
    'CONFIG_RANGE',
    6,
    25,
    /99 at most/,
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
  it.each(BAD)('%s is refused at its place', (_what, text, code, line, column, message) => {
    const result = parseConfig(text, 'test.yaml');
    expect(result.ok).toBe(false);
    if (result.ok) return;
    const texts = result.errors.map(formatConfigError);
    const found = result.errors.find((e) => e.code === code && e.line === line && e.column === column);
    expect(found, texts.join('\n')).toBeDefined();
    if (found === undefined) return;
    expect(formatConfigError(found)).toMatch(message);
    expect(formatConfigError(found).startsWith(`test.yaml:${line}:${column}: `)).toBe(true);
  });

  it.each(BAD)('%s brings no second error that follows from the first', (what, text) => {
    const result = parseConfig(text, 'test.yaml');
    // A handler that is both misplaced and missing is two mistakes.
    const allowed = what === 'a handler beside actions' ? 2 : 1;
    expect(result.ok ? [] : result.errors.map(formatConfigError)).toHaveLength(allowed);
  });

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
