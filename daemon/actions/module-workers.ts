// Modules that compute for long: run in worker threads, with a time and a memory limit, and an end that is always told.
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
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
/**
 * Of one thread, in MiB. What lives there when the heap is full moves to the old generation at once, and beyond the limit
 * Node allows no more than 16M: past those V8 ends the process, not the thread. Newer Nodes would take 192M.
 */
const YOUNG_GENERATION_MIB = 8;
/** V8 of Node 24, the first that unrolls loops without their checks for an interrupt. */
const UNROLLING_V8 = 13;

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
    const { Piscina } = createRequire(import.meta.url)('piscina') as typeof import('piscina');
    keepLoopsEndable();
    const pool = new Piscina({
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: IDLE_MS,
      maxQueue: WAITING_MAX,
      resourceLimits: { maxOldGenerationSizeMb: heapMax / MIB, maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
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

/**
 * Lets a thread be ended in any loop. Optimised code of newer V8 misses the request in some: `for (;;) all.push(new
 * Array(1000).fill(1))` runs past its time and its memory until the process is killed, unless loops stay as they are. V8
 * has such settings for the whole process only, and takes them at any time for what it compiles from then on.
 */
function keepLoopsEndable(): void {
  if (Number.parseInt(process.versions.v8, 10) >= UNROLLING_V8) setFlagsFromString('--no-turboshaft-loop-unrolling');
}

/**
 * Of what a worker failed with. An error of structured clone itself comes as an empty object, from newer Nodes as an Error
 * without message.
 */
function partsOf(error: unknown): { name: string; code: unknown; message: string } {
  const none = { name: '', code: undefined };
  const notCloned = 'what it returned or threw cannot be handed over by structured clone';
  if (error instanceof Error) {
    const ofClone = error.message === '' && error.stack?.startsWith('DataCloneError:') === true;
    return { ...none, name: error.name, message: ofClone ? notCloned : error.message, ...codeOf(error) };
  }
  return { ...none, message: typeof error === 'object' ? notCloned : String(error) };
}

function codeOf(error: Error): { code?: unknown } {
  return 'code' in error ? { code: error.code } : {};
}
