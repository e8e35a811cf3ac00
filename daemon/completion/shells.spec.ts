// The completion scripts, in the shells that they are for; what the daemon knows comes from a stand-in for the command.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createControlProgram } from '../control-commands.js';
import { Stage } from '../stage.spec-helper.js';
import { completionScript, SHELLS } from './shells.js';

/** Knows lines and paths if it is asked at the right socket; says rubbish on standard error as well. */
const STAND_IN = `#!/bin/sh
echo rubbish >&2
case "$*" in
  "names lines  --socket /run/s" | "names lines b --socket /run/s") printf 'button1\\nbutton2\\nled1\\n' ;;
  "names outputs"*) printf 'led1\\n' ;;
  "names paths /pr"*) printf '/proc/interrupts\\n/proc/irq/\\n/proc/a b$(touch pwned)\\n' ;;
  *) exit 1 ;;
esac
`;

let directory = '';
const script = (shell: (typeof SHELLS)[number]): string => join(directory, `gpio-irqctl.${shell}`);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-completion-'));
  const program = createControlProgram(new Stage());
  for (const shell of SHELLS) writeFileSync(script(shell), completionScript(shell, program));
  writeFileSync(join(directory, 'gpio-irqctl'), STAND_IN);
  chmodSync(join(directory, 'gpio-irqctl'), 0o755);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function run(shell: string, ...args: string[]): string {
  const env = { PATH: `${directory}:${process.env.PATH}`, HOME: directory, TERM: 'vt100' };
  return execFileSync(shell, args, { encoding: 'utf8', env, cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
}

function isThere(shell: string): boolean {
  try {
    return execFileSync('sh', ['-c', `command -v ${shell}`]).length > 0;
  } catch {
    return false;
  }
}

/** A line that ends in what is to be completed, and what is offered. */
const CASES: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ['gpio-irqctl rel', ['reload']],
  ['gpio-irqctl --json rel', ['reload']],
  ['gpio-irqctl --socket /run/s get ', ['button1', 'button2', 'led1']],
  ['gpio-irqctl --socket /run/s get b', ['button1', 'button2']],
  ['gpio-irqctl get --socket /run/s b', ['button1', 'button2']],
  ['gpio-irqctl get --json --socket /run/s ', ['button1', 'button2', 'led1']],
  ['gpio-irqctl get b', []],
  ['gpio-irqctl set ', ['led1']],
  ['gpio-irqctl set led1 ', ['0', '1']],
  ['gpio-irqctl trace --format ', ['ftrace', 'jsonl', 'perfetto']],
  ['gpio-irqctl completion ', ['bash', 'fish', 'zsh']],
  ['gpio-irqctl irq 4 ', ['affinity', 'disable', 'enable']],
];

describe('bash', () => {
  const complete = (line: string): string[] => {
    const words = line.split(' ').map((word) => `'${word}'`);
    const code = `source gpio-irqctl.bash; compopt() { :; }; COMP_WORDS=(${words.join(' ')}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _gpio_irqctl; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const offered = run('bash', '--norc', '-c', code).split('\n');
    return offered.filter((word) => word !== '').sort();
  };

  it.each(CASES)('completes %j', (line, offered) => {
    expect(complete(line)).toEqual(offered);
  });

  it('offers names as they have to be typed, and runs nothing that is in them', () => {
    expect(complete('gpio-irqctl cat /proc/')).toEqual([
      '/proc/a\\ b\\$\\(touch\\ pwned\\)',
      '/proc/interrupts',
      '/proc/irq/',
    ]);
    expect(run('ls')).not.toContain('pwned');
  });

  it('has options of the command, those of all commands too', () => {
    expect(complete('gpio-irqctl press --')).toEqual(['--bounce', '--for', '--help', '--json', '--socket']);
  });

  it('completes in an interactive shell at the press of Tab', () => {
    const typed = 'source gpio-irqctl.bash\ngpio-irqctl openap\t --help\nexit 0\n';
    const shell = `printf '%s' '${typed}' | script -qec 'bash --norc --noprofile -i' /dev/null 2>/dev/null`;
    expect(run('sh', '-c', shell)).toContain('gpio-irqctl openapi');
  });
});

describe.runIf(isThere('fish'))('fish', () => {
  it.each(CASES)('completes %j', (line, offered) => {
    const shown = run('fish', '--no-config', '-c', `source gpio-irqctl.fish; complete -C '${line}'`).split('\n');
    const words = shown.filter((word) => word !== '').map((word) => word.split('\t')[0] ?? '');
    // Fish matches letters within a word as well when nothing begins so.
    expect(words.sort()).toEqual(offered);
  });
});

/** What an interactive zsh offers at Tab, in a terminal of its own, a word a line. */
const PRESS_TAB = `
zmodload zsh/zpty
zpty shell zsh -f -i
typed() { zpty -w shell "$1"; }
typed 'PS1=; autoload -Uz compinit; compinit -u -D; source ./gpio-irqctl.zsh'
# What is only counted, by -O and its like, is not offered.
typed 'compadd() {
  builtin compadd "$@"; local result=$?
  [[ " \${@[1,(i)--]} " == *\\ -[OAD]\\ * ]] || { local -a hits; builtin compadd -A hits "$@"; print -rl -- $hits >>offered }
  return $result
}'
typed 'offer() { _main_complete; print >pressed }; zle -C offer complete-word offer; bindkey "^I" offer'
rm -f offered pressed
zpty -w -n shell "$1"$'\\t'
for _ in {1..1000}; do [[ -e pressed ]] && break; sleep 0.05; done
zpty -d shell
cat offered 2>/dev/null || [[ -e pressed ]]
`;

describe.runIf(isThere('zsh'))('zsh', () => {
  const complete = (line: string): string[] => {
    const offered = run('zsh', '-f', '-c', PRESS_TAB, 'zsh', line).split('\n');
    return [...new Set(offered)].filter((word) => word !== '').sort();
  };

  it.each([...CASES, ['gpio-irqctl get --socket=/run/s b', ['button1', 'button2']] as const])(
    'completes %j',
    (line, offered) => {
      expect(complete(line)).toEqual(offered);
    },
  );

  it('offers names as they have to be typed, and runs nothing that is in them', () => {
    expect(complete('gpio-irqctl cat /pr')).toEqual([
      '/proc/a\\ b\\$\\(touch\\ pwned\\)',
      '/proc/interrupts',
      '/proc/irq/',
    ]);
    expect(run('ls')).not.toContain('pwned');
  });

  it('has options of the command, those of all commands too', () => {
    expect(complete('gpio-irqctl press --json --')).toEqual(['--bounce', '--for', '--help', '--socket']);
  });

  it('reads the script, and has it complete the command', () => {
    const code =
      'mkdir -p f; cp gpio-irqctl.zsh f/_gpio-irqctl; fpath=(f $fpath); autoload -Uz compinit; compinit -u -D; print $_comps[gpio-irqctl]; autoload +X _gpio-irqctl; print $+functions[_gpio-irqctl]';
    expect(run('zsh', '-f', '-c', code)).toBe('_gpio-irqctl\n1\n');
  });
});
