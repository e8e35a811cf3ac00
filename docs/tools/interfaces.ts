// What is written of the programs' own commands and routes: man pages, completions, the description of the API.

import type { Surroundings } from '../../daemon/cli.js';
import { completionScript, SHELLS } from '../../daemon/completion/shells.js';
import { openapi } from '../../daemon/control/openapi.js';
import { describedRoutes } from '../../daemon/control/routes.js';
import { createControlProgram } from '../../daemon/control-commands.js';
import { createDaemonProgram } from '../../daemon/daemon-commands.js';
import { configPage } from './config-page.js';
import { manPage, type PageFacts } from './man.js';

const SILENT: Surroundings = {
  out: () => undefined,
  err: () => undefined,
  terminal: false,
  env: {},
  uid: 0,
  onSignal: () => () => undefined,
};

const SOCKETS = [
  ['/run/gpio-irqd/control.sock', 'control socket of the service'],
  ['$XDG_RUNTIME_DIR/gpio-irqd/control.sock', 'control socket of your own daemon'],
] as const;

const DAEMON: Omit<PageFacts, 'version'> = {
  section: 8,
  description: [
    'Takes edges of GPIO lines from the kernel and runs them through a model of the interrupt machinery of Linux: top halves, tasklets, threads, workqueues.',
    'Which lines, and what happens on their edges, is in its configuration. As a service it is started by systemd; SIGHUP has it read its configuration again.',
  ],
  environment: [
    ['NOTIFY_SOCKET', 'where systemd is told of the start, the state and the end; see `sd_notify`(3)'],
    ['RUNTIME_DIRECTORY', 'directory for the control socket'],
  ],
  files: [['/etc/gpio-irqd/config.yaml', 'configuration'], ...SOCKETS],
  examples: [
    ['gpio-irqd check --config my.yaml', 'what is wrong with a configuration, if anything'],
    ['gpio-irqd run --config my.yaml --driver sim', 'the same configuration on a simulated Raspberry Pi'],
    ['gpio-irqd detect', 'which GPIO chips there are, and which of them is the header'],
  ],
  seeAlso: ['gpio-irqctl(1)', 'gpio-irqd.yaml(5)', 'systemctl(1)', 'gpioinfo(1)'],
};

const CONTROL: Omit<PageFacts, 'version'> = {
  section: 1,
  description: [
    'Asks the daemon one thing over its control socket, and shows the answer; or has it do something.',
    'Options of all commands may stand before or after the command.',
  ],
  files: SOCKETS,
  examples: [
    ['gpio-irqctl set led1 1', 'switch an output on'],
    ['gpio-irqctl events --type edge --line button1', 'watch the edges of one line'],
    ['gpio-irqctl trace --format perfetto --out trace.json', 'a trace for ui.perfetto.dev'],
    ['source <(gpio-irqctl completion bash)', 'have bash complete this command'],
  ],
  seeAlso: ['gpio-irqd(8)', 'gpio-irqd.yaml(5)'],
};

/** Texts by path from the root of the repository. @param version of the package */
export function interfaceFiles(version: string): Map<string, string> {
  const control = createControlProgram(SILENT);
  const parts = {
    startService: () => Promise.reject(new Error('only described')),
    detect: () => Promise.reject(new Error('only described')),
  };
  const daemon = createDaemonProgram(SILENT, parts, () => undefined);
  const files = new Map([
    ['docs/openapi.json', `${JSON.stringify(openapi(describedRoutes(), version), undefined, 2)}\n`],
    ['man/gpio-irqd.8', manPage(daemon, { ...DAEMON, version })],
    ['man/gpio-irqctl.1', manPage(control, { ...CONTROL, version })],
    ['man/gpio-irqd.yaml.5', configPage(version)],
  ]);
  for (const program of [control, daemon]) {
    for (const shell of SHELLS) {
      const name = shell === 'zsh' ? `_${program.name()}` : `${program.name()}.${shell}`;
      files.set(`completions/${name}`, completionScript(shell, program));
    }
  }
  return files;
}
