// The levels of all lines during a simulation, as a Value Change Dump.
import { VcdWriter } from '../../sim-fallback/index.js';
import type { Config } from '../config/config.js';
import type { Simulation } from './simulation.js';

/**
 * Writes the electrical levels of the configuration's lines from now until `finish`, as a logic analyser at the pads would. The
 * simulated chip has its debounce in front of them (`Board.setDebounce`): of a debounced line, what is left shows.
 */
export function dumpLevels(
  simulation: Simulation,
  { lines }: Pick<Config, 'lines'>,
  write: (text: string) => void,
): { finish(): void } {
  const { pads } = simulation;
  const signals = lines.map(({ name, gpio }) => ({ name, initial: pads.level(gpio) }));
  const writer = new VcdWriter('gpio', signals, write);
  const last = signals.map(({ initial }) => initial);
  const forget = lines.map(({ gpio }, i) =>
    pads.onPad(gpio, (level) => {
      // Told too when only who gives the level has changed.
      if (level === last[i]) return;
      last[i] = level;
      writer.change(simulation.nowNs, i, level);
    }),
  );
  return {
    finish: () => {
      for (const end of forget) end();
      writer.finish(simulation.nowNs);
    },
  };
}
