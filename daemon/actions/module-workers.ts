// Modules that compute for long: run in worker threads, with a time and a memory limit, and an end that is always told.
import type { Piscina } from 'piscina';
import { KernelError } from '../../kernel/index.js';

/** What a module's default function gets: one edge. Times in ns. */
export interface ModuleEdge {
  readonly line: string;
  readonly gpio: number;
  /** Name of the interrupt. */
  readonly name: string;
  readonly edge: 'rising' | 'falling';
  readonly value: 0 | 1;
  /** CLOCK_MONOTONIC. */
  readonly timestamp: number;
  /** Since the edge before; null for the first. */
  readonly sinceLast: number | null;
  /** Number of the edge on its line; 0 when the driver has none. */
  readonly seqno: number;
}

/** Worker threads of one workqueue. */
export interface ModuleWorkersOptions {
  /** Threads at once, at least 1; further calls wait. */
  readonly threads: number;
  /** Bytes of JavaScript heap that one thread may fill; buffers outside of the heap do not count. */
  readonly heapMax: number;
  /** Told what a module threw when nothing waited for it any more. */
  readonly onStray: (error: unknown) => void;
}

/** One call of a module. */
export interface ModuleCall {
  /** Absolute path of an ES module with a default function. */
  readonly path: string;
  readonly edge: ModuleEdge;
  /** After which its thread is ended. */
  readonly timeoutNs: number;
  /** Ends it before its time. */
  readonly signal: AbortSignal;
}

/** Calls that may wait for a thread; each work item of the configuration has one at most. */
const WAITING_MAX = 4096;
/** After which a thread without work ends. */
const IDLE_MS = 30_000;
const MIB = 1024 * 1024;

/** The threads are started when they are needed, replaced when they die, and ended when they are idle. */
export class ModuleWorkers {
  /** Threads that were lost, by their module's fault. */
  died = 0;
  readonly #pool: Piscina;
  readonly #heapMax: number;

  private constructor(pool: Piscina, heapMax: number) {
    this.#pool = pool;
    this.#heapMax = heapMax;
  }

  /** Loads the library only now: most configurations have no such module. */
  static async create({ threads, heapMax, onStray }: ModuleWorkersOptions): Promise<ModuleWorkers> {
    const { Piscina } = await import('piscina');
    const pool = new Piscina({
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: IDLE_MS,
      maxQueue: WAITING_MAX,
      resourceLimits: { maxOldGenerationSizeMb: heapMax / MIB },
      // Else a thread without work hears of nothing that its module has left behind, until the next edge pays for it.
      atomics: 'disabled',
      // A module gets its edge, and nothing of the daemon's surroundings.
      env: {},
      argv: [],
    });
    pool.on('error', onStray);
    return new ModuleWorkers(pool, heapMax);
  }

  /** Threads that there are just now. */
  get threads(): number {
    return this.#pool.threads.length;
  }

  /** Calls that wait for a thread. */
  get waiting(): number {
    return this.#pool.queueSize;
  }

  /**
   * Runs a module's default function on one edge.
   *
   * @returns what the function returned or resolved to
   * @throws KernelError ETIMEDOUT (out of time), ENOMEM (over its memory), EINTR (ended by `signal`), EAGAIN (too many
   * wait), EIO (it cannot be loaded, it threw, or its thread died); each names the edge, which was not dealt with
   */
  async run({ path, edge, timeoutNs, signal }: ModuleCall): Promise<unknown> {
    const limit = AbortSignal.timeout(Math.max(1, Math.ceil(timeoutNs / 1e6)));
    try {
      return await this.#pool.run(edge, { filename: path, signal: AbortSignal.any([limit, signal]) });
    } catch (error) {
      const lost = edge.seqno > 0 ? `edge ${edge.seqno} of ${edge.line}` : `the edge of ${edge.line}`;
      throw this.#explain(error, `module ${path}`, `${lost} is not dealt with`, limit);
    }
  }

  /** Ends all threads; what still runs fails with EINTR. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  #explain(cause: unknown, module: string, lost: string, limit: AbortSignal): KernelError {
    const { name, code, message } = partsOf(cause);
    if ((name === 'AbortError' && !limit.aborted) || message === 'Terminating worker thread') {
      return new KernelError('EINTR', `${module} was ended, since the daemon stops; ${lost}`, { cause });
    }
    if (name === 'AbortError') {
      this.died++;
      const hint = 'raise its timeout';
      return new KernelError('ETIMEDOUT', `${module} ran out of time and was ended; ${lost}`, { hint, cause });
    }
    if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
      this.died++;
      const hint = "raise the workqueue's memory_max";
      const text = `${module} filled its ${this.#heapMax / MIB}M of memory and was ended; ${lost}`;
      return new KernelError('ENOMEM', text, { hint, cause });
    }
    if (message === 'Task queue is at limit') {
      return new KernelError('EAGAIN', `${module}: ${WAITING_MAX} calls wait already; ${lost}`, { cause });
    }
    if (message.startsWith('worker exited')) this.died++;
    return new KernelError('EIO', `${module}: ${message}; ${lost}`, { cause });
  }
}

/** Of what a worker failed with. An error that itself did not survive structured clone comes as an empty object. */
function partsOf(error: unknown): { name: string; code: unknown; message: string } {
  const none = { name: '', code: undefined };
  if (error instanceof Error) return { ...none, name: error.name, message: error.message, ...codeOf(error) };
  if (typeof error !== 'object') return { ...none, message: String(error) };
  return { ...none, message: 'what it returned or threw cannot be handed over by structured clone' };
}

function codeOf(error: Error): { code?: unknown } {
  return 'code' in error ? { code: error.code } : {};
}
