// The commands of gpio-irqd around scenarios. Their parts are loaded when they are called.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { argument, type Surroundings } from '../cli.js';
import { parseDuration } from '../config/duration.js';
import { LOG_LEVELS } from '../log-levels.js';
import { DETAILS } from './details.js';
import type { FuzzOptions } from './fuzz.js';
import type { RecordOptions } from './record.js';
import type { ReplayOptions } from './replay.js';

const seed = argument(
  (text) => (/^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 ? Number(text) : undefined),
  'a whole number, 0 to 4294967295',
);

const duration = argument((text) => {
  const ns = parseDuration(text);
  return ns === undefined || ns === 0 ? undefined : ns;
}, 'a duration with its unit, such as 10s, 5min or 1h');

/** Adds one to those that were given before. */
function signalMap(text: string, before: ReadonlyMap<string, string>): Map<string, string> {
  const [, signal, line] = /^(.+)=([^=]+)$/.exec(text) ?? [];
  if (signal !== undefined && line !== undefined) return new Map([...before, [signal, line]]);
  throw new InvalidArgumentError('Write SIGNAL=LINE, such as D0=button1.');
}

/** Adds the commands to a program. @param config makes the option that names the configuration */
export function addScenarioCommands(
  program: Command,
  io: Surroundings,
  config: () => Option,
  done: (code: number) => void,
): void {
  program
    .command('replay')
    .description('play a scenario against a configuration, on a simulated Pi in virtual time (docs/scenarios.md)')
    .argument('<file>', 'scenario: YAML, JSONL with a step a line, or a VCD capture')
    .addOption(config())
    .option('--trace <file>', 'write what happened, a JSON object a line: the same bytes at every run')
    .addOption(
      new Option(
        '--detail <detail>',
        'what the trace tells: events of the daemon, or contexts of the model as well',
      ).choices(DETAILS),
    )
    .option('--expect <file>', 'compare with a trace that was written before, and show where they differ')
    .option('--vcd <file>', 'write the levels of all lines, for GTKWave or PulseView')
    .addOption(
      new Option('--map <signal=line>', 'a capture (.vcd): which signal is which line; may be given more than once')
        .argParser(signalMap)
        .default(new Map<string, string>(), 'signals have the names of lines'),
    )
    .addOption(new Option('--seed <number>', "of what bounces, in place of the scenario's own").argParser(seed))
    .addOption(new Option('--log-level <level>', "show the daemon's log from this level on").choices(LOG_LEVELS))
    .option('--json', 'the result as JSON')
    .action(async (file: string, options: ReplayOptions) => {
      const { replay } = await import('./replay.js');
      done(await replay(file, options, io));
    });
  program
    .command('record')
    .description('record the edges of real lines, with their stamps, as a scenario (docs/scenarios.md)')
    .requiredOption('--out <file.jsonl>', 'where the scenario goes')
    .addOption(config())
    .addOption(new Option('--for <duration>', 'how long (default: until Ctrl-C)').argParser(duration))
    .option('--attach', 'record what the daemon that runs reports, in place of the lines themselves')
    .option('--socket <path>', "with --attach: the daemon's control socket")
    .action(async (options: RecordOptions) => {
      const { record } = await import('./record.js');
      done(await record(options, io));
    });
  program
    .command('fuzz')
    .description(
      'play random scenarios against a configuration, and check what has to hold of every daemon (docs/scenarios.md)',
    )
    .addOption(config())
    .addOption(
      new Option('--seed <number>', 'of the scenarios: the same are played for the same seed')
        .argParser(seed)
        .default(1),
    )
    .addOption(new Option('--for <duration>', 'time in the simulation').argParser(duration).default(600e9, '600s'))
    .option('--scenario <file>', 'check this scenario in place of random ones, such as one that was found before')
    .action(async (options: FuzzOptions) => {
      const { fuzz } = await import('./fuzz.js');
      done(await fuzz(options, io));
    });
}
