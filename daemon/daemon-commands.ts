// The commands of gpio-irqd: run, check, detect.

import { type Command, Option } from 'commander';
import { check } from './check.js';
import { createProgram, EXIT, runProgram, type Surroundings } from './cli.js';
import { DRIVERS } from './config/config.js';
import { LOG_LEVELS } from './log-levels.js';
import type { RunOptions, StartService } from './run.js';
import { addScenarioCommands } from './scenario/commands.js';

/** Where the service has its configuration. */
export const DEFAULT_CONFIG = '/etc/gpio-irqd/config.yaml';

/** What is loaded only when its command needs it. */
export interface DaemonParts {
  startService(): Promise<StartService>;
  /** Describes the machine's chips and drivers, as a text or as JSON. */
  detect(json: boolean): Promise<string>;
}

/** The program with its commands; what they do is done at its run. @param ends is told the exit code */
export function createDaemonProgram(io: Surroundings, parts: DaemonParts, ends: (code: number) => void): Command {
  const program = createProgram('gpio-irqd', 'GPIO edges through a model of the Linux interrupt machinery.', io);
  const config = () => new Option('-c, --config <file>', 'configuration file').default(DEFAULT_CONFIG);
  program
    .command('run', { isDefault: true })
    .description('run the daemon in the foreground (what happens when no command is named)')
    .addOption(config())
    .addOption(
      new Option(
        '--driver <driver>',
        "in place of the configuration's own (hardware: unless that names a driver of hardware)",
      ).choices(DRIVERS),
    )
    .option('--socket <path>', 'control socket (default: in the runtime directory of the service or of the user)')
    .addOption(
      new Option('--log-level <level>', 'least urgent level that is logged (default: info; warn with --demo)').choices(
        LOG_LEVELS,
      ),
    )
    .option('--demo', 'press the simulated buttons, show what ran in which context, and end')
    .action(async (options: RunOptions) => {
      const { run } = await import('./run.js');
      ends(await run(options, io, await parts.startService()));
    });
  program
    .command('check')
    .description('check a configuration file: exit 0, or 2 with every mistake as FILE:LINE:COLUMN')
    .addOption(config())
    .option('--json', 'the result as JSON')
    .action((options: { config: string; json?: true }) => {
      ends(check(options.config, options.json === true, io));
    });
  program
    .command('schema')
    .description('print the JSON Schema of the configuration, for editors')
    .action(async () => {
      const { schemaText } = await import('./config/json-schema.js');
      io.out(schemaText());
    });
  program
    .command('detect')
    .description('the GPIO chips of this machine, which is the header, and which drivers can be used')
    .option('--json', 'the result as JSON')
    .action(async (options: { json?: true }) => {
      io.out(await parts.detect(options.json === true));
    });
  addScenarioCommands(program, io, config, ends);
  return program;
}

/** gpio-irqd. @returns the exit code. */
export function daemonMain(args: readonly string[], io: Surroundings, parts: DaemonParts): Promise<number> {
  let code: number = EXIT.done;
  const program = createDaemonProgram(io, parts, (result) => {
    code = result;
  });
  return runProgram(program, args, io, () => code);
}
