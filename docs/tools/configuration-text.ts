// The words of docs/configuration.md that no schema has: how a configuration is written, and an example of each section.

/** An example of each section. Together they are one configuration. */
export const SECTION_EXAMPLES: ReadonlyMap<string, string> = new Map([
  ['chips', 'chips:\n  expander: label:mcp23017\n'],
  ['storm_guard', 'storm_guard: { rate: 1000, window: 100ms, backoff: 100ms, max_backoff: 10s }\n'],
  [
    'lines',
    `lines:
  button1: { gpio: 17, edge: both, bias: pull-up, active: low, debounce: 5ms }
  button2: { gpio: 18, edge: both, bias: pull-up, active: low, debounce: 5ms }
  led1: { gpio: 4, direction: out, initial: 0 }
  relay: { gpio: 3, chip: expander, direction: out, initial: keep }
`,
  ],
  [
    'interrupts',
    `interrupts:
  - line: button1
    name: bell#button1
    top_half: [{ follow: led1 }] # at once; lines only
    thread: # right after, in the interrupt's own thread
      - { log: "{line} {edge} after {since_last}" }
    work: # when there is time
      queue: slow
      do:
        - { exec: [/usr/bin/logger, "{line}"], timeout: 5s, limit: { rate: 5, per: 1s } }
    patterns:
      - { on: double, within: 300ms, do: [{ toggle: relay }] }
`,
  ],
  [
    'chords',
    'chords:\n  - { name: both, lines: [button1, button2], within: 100ms, do: [{ log: "{lines} together" }] }\n',
  ],
  [
    'triggers',
    `triggers:
  - { name: morning, schedule: "0 7 * * 1-5", work: { do: [{ pulse: relay, for: 200ms }] } }
  - { name: ring, hook: ring, work: { do: [{ pulse: led1, for: 1s }] } }
  - { name: far, mqtt: home/bell/ring, work: { do: [{ log: "{topic}: {payload}" }] } }
`,
  ],
  ['workqueues', 'workqueues:\n  slow: { flags: [unbound], max_active: 2 }\n'],
  ['mqtt', 'mqtt: { url: mqtts://broker.example, username: bell, password_file: /etc/gpio-irqd/mqtt-password }\n'],
  ['http', 'http: { listen: 127.0.0.1:9470, token_file: /etc/gpio-irqd/token }\n'],
  ['log', 'log: { level: info, format: auto }\n'],
]);

/** What stands before the table of a section. */
export const SECTION_NOTES: ReadonlyMap<string, string> = new Map([
  [
    'actions',
    `
Where an action may stand is checked when the file is read:

| | \`top_half\`, \`tasklet\` | \`thread\` | \`work\` | \`patterns\`, \`chords\`, \`triggers\` |
|---|---|---|---|---|
| \`set\`, \`toggle\`, \`pulse\` | yes | yes | yes | yes |
| \`follow\` | yes | yes | yes | no: there is no edge |
| \`log\` | no: atomic context | yes | yes | yes |
| \`exec\`, \`http\`, \`mqtt\` | no | no: it would hold up the irq thread | yes | yes |
| \`module\` | no | no | yes, on a \`cpu_intensive\` queue | no: it is called with an edge |
`,
  ],
]);

const VARIABLE = '\u{24}{NAME}';
const DEFAULTED = '\u{24}{NAME:-default}';

/** What stands before the tables. */
export const CONFIGURATION_INTRODUCTION = `
<!-- Written by \`npm run docs\` from the schema in daemon/config/. Change that, and run it again. -->

# Configuration

One YAML file, \`/etc/gpio-irqd/config.yaml\` for the service. [examples/button-led.yaml](../examples/button-led.yaml) is one to
start from; all examples of this page together are one configuration, too.

\`\`\`console
$ gpio-irqd check --config bell.yaml
bell.yaml:2:31: lines.button1.bias: 'pul-up' is not allowed here; did you mean pull-up? (one of as-is, disabled, pull-up, pull-down)
  2 |   button1: { gpio: 17, bias: pul-up }
    |                              ^~~~~~ pull-up
\`\`\`

\`check\` says everything that is wrong at once, each mistake with its place, and ends with 2; with 0 when nothing is. (Whether an
entry goes with others is asked when it is right by itself.) What is
allowed and probably not meant it says as a warning: a workqueue that nothing runs on, a line that nothing uses, presses that
are looked for on a line without debounce, a password file that is not there. \`--json\` gives the same to programs, with stable codes. A daemon that is told to
reload a wrong configuration keeps the one that it has.

Durations have a unit: \`5ms\`, \`200us\`, \`2s\`, \`10min\`, \`1h\`. Names of lines, chips and queues are a letter and then letters,
digits, \`-\` and \`_\`, 31 at most. Paths are relative to the file that they stand in.

## In an editor

\`gpio-irqd schema\` prints a JSON Schema, which is also in the package as \`schemas/gpio-irqd.schema.json\`. Editors with the YAML
language server complete keys and values, and show what each means, when the file begins with

\`\`\`yaml
# yaml-language-server: $schema=/usr/lib/node_modules/gpio-irqd/schemas/gpio-irqd.schema.json
\`\`\`

The schema knows one entry at a time. What must fit between entries, \`check\` knows.

## Several files

\`include: conf.d\` takes in the files of that directory whose names end in \`.yaml\` or \`.yml\` and do not begin with a dot, in the
order of their names; \`include: [leds.yaml, conf.d]\` takes several files and directories. Included files may include more.

- \`lines\`, \`chips\` and \`workqueues\` of all files are united; a name that stands in two of them is an error that says both places.
- \`interrupts\`, \`chords\` and \`triggers\` are appended, in the order of the files.
- Everything else may stand in one of the files only.
- Each mistake is told in its own file. Anchors and aliases work within one file.
- At most 64 files, 8 deep, 1 MiB and 20,000 values in all; a file that would include itself is an error, as is one that is included twice.

## Variables

\`${VARIABLE}\` in a value stands for a variable of the daemon's environment (\`Environment=\` and \`EnvironmentFile=\` of its service), and
\`${DEFAULTED}\` for one that may be missing or empty. \`$${VARIABLE}\` is the text \`${VARIABLE}\` itself.

- What a variable gives is a text. Where a number, \`true\` or \`false\` is wanted, it becomes that, as if it had been written without quotes.
  It is never a list, a mapping or a key.
- Inside \`{ }\` and \`[ ]\` it needs quotes: \`{ gpio: "\u{24}{PIN}" }\`.
- A variable that is not set, and has no default, is an error at its place.
- No message tells what a variable gave, as it may be a secret: the messages name the variable.
- \`\u{24}{line}\` and the other [placeholders](#placeholders) are none: they are a \`$\` and a placeholder, as without variables. In texts with
  placeholders, \`\u{24}{{NAME}}\` is the text \`${VARIABLE}\`.
`;
