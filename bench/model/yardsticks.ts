// What Node itself takes for comparable things, in the same run.
import { EventEmitter } from 'node:events';
import type { Operation } from './operation.js';

function* numbers(): Generator<number, void, unknown> {
  for (let n = 0; ; n++) yield n;
}

/** A queue as programs without the model have one: an array, and a promise that wakes who waits for it. */
class AsyncQueue {
  readonly #items: number[] = [];
  #wake: (() => void) | undefined;

  push(item: number): void {
    this.#items.push(item);
    this.#wake?.();
    this.#wake = undefined;
  }

  async take(): Promise<number> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) return item;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

export const yardsticks: readonly Operation[] = [
  {
    name: 'Node: a generator goes on (`next`)',
    count: 2_000_000,
    prepare() {
      const generator = numbers();
      return (count) => {
        for (let i = 0; i < count; i++) generator.next();
      };
    },
  },
  {
    name: 'Node: `EventEmitter.emit`, one listener',
    count: 2_000_000,
    prepare() {
      const emitter = new EventEmitter();
      let sum = 0;
      emitter.on('edge', (value: number) => {
        sum += value;
      });
      return (count) => {
        for (let i = 0; i < count; i++) emitter.emit('edge', i & 1);
        if (sum < 0) throw new Error('no edge');
      };
    },
  },
  {
    name: 'Node: `await` of a resolved promise',
    count: 500_000,
    prepare() {
      const resolved = Promise.resolve();
      return async (count) => {
        for (let i = 0; i < count; i++) await resolved;
      };
    },
  },
  {
    name: 'Node: an item through a queue to an async consumer',
    count: 200_000,
    prepare() {
      return async (count) => {
        const there = new AsyncQueue();
        const back = new AsyncQueue();
        const consumer = async (): Promise<void> => {
          for (let i = 0; i < count; i++) back.push(await there.take());
        };
        const done = consumer();
        for (let i = 0; i < count; i++) {
          there.push(i);
          await back.take();
        }
        await done;
      };
    },
  },
];
