// The tables of docs/debounce.md: `main.js simulator`, or, in the test kernel, `main.js gpio-sim DIRECTORY CPU`.
import { measuredTable } from './gpio-sim.js';
import { simulatedTable } from './simulator.js';

const SEED = 17;
const [what, programs = '', cpu = 'an unknown CPU'] = process.argv.slice(2);
if (what === 'simulator') console.log(await simulatedTable(1000, SEED));
else if (what === 'gpio-sim') console.log(await measuredTable({ programs, cpu, count: 30, seed: SEED }));
else throw new Error('usage: main.js simulator | gpio-sim DIRECTORY_OF_THE_C_PROGRAMS NAME_OF_THE_CPU');
