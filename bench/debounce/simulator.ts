// The examples against the simulator's button, in virtual time: the same seed gives the same table on every machine.
import { Simulation } from '../../daemon/scenario/simulation.js';
import { judge, type Verdict } from './judge.js';
import { type Row, verdictTable } from './report.js';
import { type Closing, drawScene, SCENES } from './scenes.js';
import { configOf, PRESSED, WAYS, type Way } from './ways.js';

/** After the last closing, until all is told. */
const AFTERWARDS_NS = 500_000_000;

/** Plays closings to a way of debouncing. */
export async function playSimulated(way: Way, closings: readonly Closing[], seed: number): Promise<Verdict> {
  const simulation = await Simulation.start({ ...configOf(way), seed });
  const toldNs: number[] = [];
  simulation.subscribe((event) => {
    if (event.type === 'log' && event.text === PRESSED) toldNs.push(event.atNs);
    if (event.type === 'error') throw new Error(`${way.name}: ${event.message}`);
  });
  for (const { atNs, holdNs, bounce } of closings) {
    await simulation.runUntil(atNs);
    simulation.board.press('button', { holdNs, ...(bounce === undefined ? {} : { bounce }) });
  }
  await simulation.runUntil(simulation.nowNs + AFTERWARDS_NS);
  await simulation.end();
  return judge({ closedNs: closings.map(({ atNs }) => atNs), press: closings[0]?.press ?? true, toldNs });
}

/** All ways in all scenes, as Markdown. */
export async function simulatedTable(count: number, seed: number): Promise<string> {
  const rows: Row[] = [];
  for (const scene of SCENES) {
    const closings = drawScene(scene, count, seed);
    for (const way of WAYS) {
      rows.push({ scene: scene.name, way: way.name, verdict: await playSimulated(way, closings, seed) });
    }
  }
  return `${verdictTable(rows)}\n\n${count} presses of each button, or as many glitches; seed ${seed}; virtual time.`;
}
