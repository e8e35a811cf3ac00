// How long a replay takes: an hour of 100 presses a second, with a contact that bounces.
import { cpus, loadavg } from 'node:os';
import { parseConfig } from '../../daemon/config/load.js';
import { parseScenario } from '../../daemon/scenario/load.js';
import { play } from '../../daemon/scenario/play.js';
import { Simulation } from '../../daemon/scenario/simulation.js';
import { TraceWriter } from '../../daemon/scenario/trace.js';

const PRESSES_PER_SEC = 100;
const SECONDS = Number(process.argv[2] ?? 3600);

/** What is measured: how the line is configured, and whether a trace of the daemon's events is made. */
const CASES = [
  { name: 'with `debounce: 1700us`', debounce: 'debounce: 1700us, ', trace: false },
  { name: 'without debounce: every rebound is an edge', debounce: '', trace: false },
  { name: 'with debounce, and a trace of events', debounce: 'debounce: 1700us, ', trace: true },
];

/** Presses of 4 ms, ten ms apart, bouncing for up to 1.6 ms at either end; the LED is toggled by the top half. */
async function measure(debounce: string, trace: boolean): Promise<{ edges: number; wallS: number; cpuS: number }> {
  const config = parseConfig(
    `lines:\n  b: { gpio: 17, edge: both, bias: pull-up, active: low, ${debounce}}\n  led: { gpio: 4, direction: out }\n` +
      'interrupts: [{ line: b, top_half: [{ toggle: led }] }]\n',
    'bench.yaml',
  );
  if (!config.ok) throw new Error(config.errors[0]?.message);
  const count = SECONDS * PRESSES_PER_SEC;
  const scenario = parseScenario(
    `scenario: 1\nsteps:\n  - { at: 0s, press: b, hold: 4ms, bounce: true, repeat: { every: 10ms, count: ${count} } }\nend: ${SECONDS}s\n`,
    'bench.yaml',
    config.config,
  );
  if (!scenario.ok) throw new Error(scenario.errors[0]?.message);
  const simulation = await Simulation.start({ config: config.config, configPath: '/bench.yaml' });
  let bytes = 0;
  const writer = trace
    ? new TraceWriter(simulation, 'bench', 'events', (text) => {
        bytes += text.length;
      })
    : undefined;
  const cpu = process.cpuUsage();
  const start = performance.now();
  await play(simulation, scenario.scenario, writer === undefined ? {} : { onStep: writer.step });
  writer?.finish();
  const wallS = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const { received, lost } = simulation.service.status().edges;
  if (lost !== 0 || (trace && bytes === 0)) throw new Error('edges were lost, or no trace was made');
  await simulation.end();
  return { edges: received, wallS, cpuS: (user + system) / 1e6 };
}

const [load = 0] = loadavg();
console.log(
  `An hour of ${PRESSES_PER_SEC} presses a second with bounce${SECONDS === 3600 ? '' : ` (${SECONDS} s of it)`}, replayed. Node ${process.version}, ` +
    `${cpus()[0]?.model ?? 'unknown processor'}, load ${load.toFixed(1)} at the start. The time of the processor is the figure of a machine with ` +
    'nothing else to do; the goal is 30 s.\n',
);
console.log('| the line | edges | time of the processor, s | by the clock, s | µs an edge |');
console.log('|---|---:|---:|---:|---:|');
for (const { name, debounce, trace } of CASES) {
  const { edges, wallS, cpuS } = await measure(debounce, trace);
  const perEdge = ((cpuS * 1e6) / edges).toFixed(2);
  console.log(`| ${name} | ${edges} | ${cpuS.toFixed(1)} | ${wallS.toFixed(1)} | ${perEdge} |`);
}
