// The soak: the daemon as it is shipped, at a steady rate of edges for a long time, watched all along. Prints a report.
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { SoakedDaemon, type Status } from './daemon.js';
import { Presses, Watcher } from './load.js';
import { judge, report, type Sample, type Soaked } from './report.js';

const EDGES_PER_S = 500;
/** How often it is looked at: of a short soak so often that there is a line through the samples. */
const SAMPLE_MS = 5_000;
const SAMPLES_MIN = 60;
const MS_PER_MIN = 60_000;

const [folder = '', program = '', minutesText = '30'] = process.argv.slice(2);
const minutes = Number(minutesText);
if (!(minutes > 0)) throw new RangeError(`'${minutesText}' is no number of minutes`);
const sampleMs = Math.min(SAMPLE_MS, (minutes * MS_PER_MIN) / SAMPLES_MIN);

async function sample(daemon: SoakedDaemon, presses: Presses, startMs: number): Promise<Sample> {
  await daemon.client.call('POST', '/v1/hooks/hooked', { payload: 'of the soak' });
  const heapBytes = await daemon.metric('nodejs_heap_size_used_bytes');
  const { rssKiB, descriptors, cpuS } = daemon;
  const minute = (performance.now() - startMs) / MS_PER_MIN;
  return { minute, rssKiB, heapKiB: heapBytes / 1_024, descriptors, cpuS, edges: presses.edges };
}

/** Lets the daemon run for the time, and looks at it now and then. */
async function soak(daemon: SoakedDaemon): Promise<Soaked> {
  const watcher = await Watcher.start(daemon.client);
  const presses = new Presses(daemon.client, EDGES_PER_S);
  const startMs = performance.now();
  const samples: Sample[] = [];
  for (let dueMs = startMs; dueMs <= startMs + minutes * MS_PER_MIN; dueMs += sampleMs) {
    await new Promise((settle) => setTimeout(settle, Math.max(0, dueMs - performance.now())));
    const taken = await sample(daemon, presses, startMs);
    samples.push(taken);
    console.error(
      `${taken.minute.toFixed(2)} min: ${taken.edges} edges, RSS ${taken.rssKiB} KiB, heap ${taken.heapKiB.toFixed(0)} KiB`,
    );
  }
  await presses.end();
  const status: Status = await daemon.status();
  return { minutes, samples, presses, watcher, status };
}

const directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-soak-'));
const loadAtStart = loadavg()[0] ?? 0;
const daemon = await SoakedDaemon.start(program, resolve(folder, 'soak.yaml'), join(directory, 'control.sock'));
try {
  const soaked = await soak(daemon);
  const exitCode = await daemon.end();
  const failures = judge(soaked, exitCode, daemon.out);
  const machine = `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, load ${loadAtStart.toFixed(1)} at the start`;
  console.log(report(soaked, machine, failures));
  if (failures.length > 0) process.exitCode = 1;
} finally {
  await daemon.end();
  rmSync(directory, { recursive: true, force: true });
}
