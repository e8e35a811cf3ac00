// What the package exports as gpio-irqd/testing: a configuration and its handler modules under test, on a simulated Pi.
export type { SeenLine } from '../sim-fallback/index.js';
export {
  type PressTiming,
  type SimulatedDaemon,
  type SimulateOptions,
  type StepMapping,
  simulate,
} from './simulate.js';
