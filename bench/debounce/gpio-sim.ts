// The examples against a line of the test kernel: the daemon's whole way in real time, with the kernel's own debounce.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { startService } from '../../daemon/service.js';
import { createGpioSim, type GpioSim } from '../../test/kernel/gpio-sim.js';
import { judge, type Verdict } from './judge.js';
import { type Row, verdictTable } from './report.js';
import { drawScene, SCENES, type Toggles, togglesOf } from './scenes.js';
import { configOf, PRESSED, WAYS, type Way } from './ways.js';

const BUTTON = 17;
/** After the last closing, until all is told. */
const AFTERWARDS_MS = 200;

/** Where and how much is measured. */
export interface Measurement {
  /** Directory of the C programs. */
  readonly programs: string;
  readonly cpu: string;
  readonly count: number;
  readonly seed: number;
}

const run = promisify(execFile);

/** Plays toggles to a way of debouncing, in this process. */
async function playMeasured(
  way: Way,
  toggles: Toggles,
  press: boolean,
  sim: GpioSim,
  toggle: string,
): Promise<Verdict> {
  const directory = mkdtempSync(join(tmpdir(), 'debounce-'));
  const [times, made] = [join(directory, 'times'), join(directory, 'made')];
  writeFileSync(
    times,
    BigUint64Array.from(toggles.timesNs, (ns) => BigInt(ns)),
  );
  sim.pull(BUTTON, 1);
  const { config, configPath } = configOf(way);
  const service = await startService({
    config: { ...config, driver: 'chardev', chip: { by: 'name', name: sim.chipName } },
    configPath,
    log: pino({ level: 'silent' }),
  });
  try {
    const toldNs: number[] = [];
    service.subscribe((event) => {
      if (event.type === 'log' && event.text === PRESSED) toldNs.push(event.atNs);
      if (event.type === 'error') throw new Error(`${way.name}: ${event.message}`);
    });
    await run(toggle, [sim.pullFile(BUTTON), times, made]);
    await sleep(AFTERWARDS_MS);
    const bytes = readFileSync(made);
    const closedNs = toggles.firstOf.map((first) => Number(bytes.readBigUInt64LE(8 * first)));
    return judge({ closedNs, press, toldNs });
  } finally {
    await service.stop('end of the scene');
    rmSync(directory, { recursive: true });
  }
}

/** All ways in all scenes, as Markdown. */
export async function measuredTable({ programs, cpu, count, seed }: Measurement): Promise<string> {
  const sim = createGpioSim();
  const rows: Row[] = [];
  try {
    for (const scene of SCENES) {
      const toggles = togglesOf(drawScene(scene, count, seed), seed);
      for (const way of WAYS) {
        const verdict = await playMeasured(way, toggles, scene.press, sim, join(programs, 'toggle'));
        rows.push({ scene: scene.name, way: way.name, verdict });
      }
    }
  } finally {
    sim.remove();
  }
  return `${verdictTable(rows)}

${count} presses of each button, or as many glitches; seed ${seed}. Node ${process.version}, Linux ${release()} (User Mode Linux, one
CPU) on ${cpu}.`;
}
