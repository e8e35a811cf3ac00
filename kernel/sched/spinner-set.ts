// SpinnerSet: the CPUs that spin until a function that is under way on another one has ended.
import { KernelError } from '../errno.js';
import type { Frame } from './coroutine.js';
import type { Cpu } from './cpu.js';

/** Who spins for what runs on one CPU. */
export class SpinnerSet {
  readonly #cpu: Cpu;
  readonly #frames = new Set<Frame>();

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
  }

  /** `cpu` spins ({@link Request.spin}) until {@link release}; on the CPU itself that would be for ever: `EDEADLK`, with `hint`. */
  add(cpu: Cpu, hint: string): void {
    if (cpu === this.#cpu) throw new KernelError('EDEADLK', 'a timer function waits for its own end', { hint });
    this.#frames.add(cpu.activation);
  }

  /** The function has ended. */
  release(): void {
    if (this.#frames.size === 0) return;
    for (const frame of this.#frames) frame.spinning = false;
    this.#frames.clear();
    for (const cpu of this.#cpu.machine.cpus) cpu.kick();
  }
}
