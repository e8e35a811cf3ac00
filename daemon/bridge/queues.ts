// The workqueues of the configuration and the kernel's own, and the worker threads of those that compute.
import { availableParallelism } from 'node:os';
import {
  allocWorkqueue,
  destroyWorkqueue,
  KernelError,
  type Machine,
  type Workqueue,
  WQ_CPU_INTENSIVE,
  WQ_HIGHPRI,
  WQ_UNBOUND,
} from '../../kernel/index.js';
import { ModuleWorkers } from '../actions/module-workers.js';
import type { WorkqueueSpec } from '../config/config.js';

const FLAGS = { unbound: WQ_UNBOUND, highpri: WQ_HIGHPRI, cpu_intensive: WQ_CPU_INTENSIVE } as const;

/** Worker threads of a queue that does not say how many: all processors but the daemon's own. */
function spareProcessors(): number {
  return Math.max(1, availableParallelism() - 1);
}

/** All queues that work items can name. */
export class Queues {
  readonly #queues = new Map<string, Workqueue>();
  readonly #workers = new Map<string, ModuleWorkers>();

  /** Of queues that are removed, and still have something to do. */
  readonly #ending = new Set<ModuleWorkers>();
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
    const { systemWq, systemHighpriWq, systemUnboundWq } = machine.workqueues;
    this.#queues.set('system_wq', systemWq);
    this.#queues.set('system_highpri_wq', systemHighpriWq);
    this.#queues.set('system_unbound_wq', systemUnboundWq);
  }

  /**
   * Makes a queue of the configuration, and its threads if it computes.
   *
   * @param onStray told what a module threw when nothing waited for it any more
   */
  async add(spec: WorkqueueSpec, onStray: (queue: string, error: unknown) => void): Promise<void> {
    const { name, flags, memoryMax } = spec;
    const computes = flags.includes('cpu_intensive');
    // One item a thread: an item whose time runs must not wait for a thread.
    const maxActive = computes && spec.maxActive === 0 ? spareProcessors() : spec.maxActive;
    const bits = flags.reduce((sum, flag) => sum | FLAGS[flag], 0);
    this.#queues.set(name, allocWorkqueue(name, bits, maxActive));
    if (!computes) return;
    const stray = (error: unknown): void => onStray(name, error);
    this.#workers.set(name, await ModuleWorkers.create({ threads: maxActive, heapMax: memoryMax, onStray: stray }));
  }

  /** `ENOENT` for a queue that there is not. */
  get(name: string): Workqueue {
    return found(this.#queues, name, 'no workqueue');
  }

  /** `ENOENT` for a queue that is not `cpu_intensive`. */
  workers(name: string): ModuleWorkers {
    return found(this.#workers, name, 'no worker threads of a workqueue');
  }

  /** Ends a queue of the configuration: nobody finds it any more; resolves when what is queued on it is done. */
  async remove(name: string): Promise<void> {
    const [queue, workers] = [this.#queues.get(name), this.#workers.get(name)];
    this.#queues.delete(name);
    this.#workers.delete(name);
    if (workers !== undefined) this.#ending.add(workers);
    if (queue !== undefined) await this.#machine.call(() => destroyWorkqueue(queue), 'reload');
    if (workers === undefined) return;
    await workers.close();
    this.#ending.delete(workers);
  }

  /** Ends all worker threads. */
  async close(): Promise<void> {
    for (const workers of [...this.#workers.values(), ...this.#ending]) await workers.close();
  }
}

function found<T>(map: ReadonlyMap<string, T>, name: string, what: string): T {
  const value = map.get(name);
  if (value === undefined) throw new KernelError('ENOENT', `${what} ${name}`);
  return value;
}
