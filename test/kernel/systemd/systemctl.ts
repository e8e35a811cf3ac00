// What the specs under systemd need of it: commands, the properties of a unit, and waiting for one of its states.

import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs `systemctl ARGS` and gives its standard output; an exit status other than 0 is an error with its words. */
export async function systemctl(...args: string[]): Promise<string> {
  return (await run('systemctl', args)).stdout;
}

/** The properties of a unit that the specs look at; names, texts and units are those of `systemctl show`. */
export interface UnitState {
  readonly ActiveState: string;
  readonly SubState: string;
  readonly StatusText: string;
  /** `success`, `watchdog`, `exit-code`, `signal`... : why it last stopped. */
  readonly Result: string;
  readonly MainPID: number;
  readonly ExecMainStatus: number;
  /** How often systemd started it anew by itself. */
  readonly NRestarts: number;
}

const TEXTS = ['ActiveState', 'SubState', 'StatusText', 'Result'] as const;
const NUMBERS = ['MainPID', 'ExecMainStatus', 'NRestarts'] as const;

/** `systemctl show` of a unit, as of now. */
export async function unitState(unit: string): Promise<UnitState> {
  const shown = new Map<string, string>();
  for (const line of (await systemctl('show', `--property=${[...TEXTS, ...NUMBERS].join(',')}`, unit)).split('\n')) {
    const equals = line.indexOf('=');
    if (equals > 0) shown.set(line.slice(0, equals), line.slice(equals + 1));
  }
  return {
    ActiveState: shown.get('ActiveState') ?? '',
    SubState: shown.get('SubState') ?? '',
    StatusText: shown.get('StatusText') ?? '',
    Result: shown.get('Result') ?? '',
    MainPID: Number(shown.get('MainPID')),
    ExecMainStatus: Number(shown.get('ExecMainStatus')),
    NRestarts: Number(shown.get('NRestarts')),
  };
}

/** Waits until `holds` of the unit's state, and gives that state; after `timeoutMs` an error shows the last one seen. */
export async function unitReaches(
  unit: string,
  holds: (state: UnitState) => boolean,
  timeoutMs = 60_000,
): Promise<UnitState> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const state = await unitState(unit);
    if (holds(state)) return state;
    if (performance.now() > end) {
      throw new Error(`${unit} did not get there in ${timeoutMs} ms; its last state: ${JSON.stringify(state)}`);
    }
    await sleep(50);
  }
}
