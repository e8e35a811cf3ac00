// Specification of kept requests: what is stored, what the next process takes over of it, and what it lets go of.
import { closeSync, fstatSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AdoptingChip, KeptRequest } from '../../drivers/index.js';
import { KernelError, type LineConfig, type LineRequest, Mark } from '../../kernel/index.js';
import { Machine } from '../../kernel/machine.js';
import { createSimulatedPi } from '../../sim-fallback/index.js';
import { type FdStore, KeptLines } from './kept-lines.js';
import { markLevel } from './kept-record.js';

const BUTTON: LineConfig = { offset: 17, direction: 'in', edge: 'both', bias: 'pull-up' };
const LED: LineConfig = { offset: 4, direction: 'out', initial: 0 };
const OPTIONS = { consumer: 'gpio-irqd' };
const WANTED = new Set([17, 4]);

/** The service manager: has duplicates of what it was given, and passes them on. */
class Store implements FdStore {
  readonly kept = new Map<string, number[]>();
  willing = true;

  storeFds(name: string, fds: readonly number[]): Promise<boolean> {
    if (this.willing) this.kept.set(name, fds.map(duplicate));
    return Promise.resolve(this.willing);
  }

  removeFds(name: string): Promise<boolean> {
    for (const fd of this.kept.get(name) ?? []) closeSync(fd);
    this.kept.delete(name);
    return Promise.resolve(true);
  }

  /** As a process finds them at its start. */
  passOn(): { fd: number; name: string }[] {
    return [...this.kept].flatMap(([name, fds]) => fds.map((fd) => ({ fd: duplicate(fd), name })));
  }
}

function duplicate(fd: number): number {
  return openSync(`/proc/self/fd/${fd}`, 'r+');
}

const isOpen = (fd: number): boolean => {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
};

/** Whether a link of /proc/self/fd is to the memory of a record. */
function isKeptMemory(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('/memfd:gpio-irqd.lines.');
  } catch {
    // The descriptor that read the directory.
    return false;
  }
}

let store: Store;
let said: string[];
beforeEach(() => {
  store = new Store();
  said = [];
});

/** The process after the one before. */
function next(inherited = store.passOn()): KeptLines {
  const note = (level: string) => (_: object, text: string) => void said.push(`${level} ${text}`);
  return new KeptLines({ store, inherited, log: { info: note('info'), warn: note('warn') } });
}

/** A simulated chip whose requests have descriptors of a sort; it takes over what `refuse` says nothing of. */
function chipOf(refuse?: KernelError): { chip: AdoptingChip; adopted: KeptRequest[] } {
  const { chip: simulated } = createSimulatedPi({ machine: new Machine(), board: {} });
  const adopted: KeptRequest[] = [];
  const chip: AdoptingChip = Object.assign(simulated.open(), {
    descriptorOf: () => openSync('/dev/null', 'r+'),
    pauseEdges: () => {},
    adoptLines: (fd: number, kept: KeptRequest): LineRequest => {
      if (refuse !== undefined) throw refuse;
      expect(isOpen(fd)).toBe(true);
      adopted.push(kept);
      return simulated.open().requestLines(kept);
    },
  });
  return { chip, adopted };
}

/** Requests lines as the service does. */
function take(kept: KeptLines, chip: AdoptingChip, ...lines: LineConfig[]): LineRequest {
  const request = chip.requestLines({ ...OPTIONS, lines });
  kept.keep(chip, request, lines, OPTIONS);
  return request;
}

/** A process that held two requests, and left a level and numbers behind. */
function lastLife(): { names: string[] } {
  const kept = next();
  const { chip } = chipOf();
  const button = take(kept, chip, BUTTON);
  const led = take(kept, chip, LED);
  const [read, level] = [kept.markOf(button, 17), kept.markOf(led, 4)];
  if (read === undefined || level === undefined) return expect.fail('not kept');
  read[Mark.READ] = 40;
  markLevel(level, 1);
  return { names: [...store.kept.keys()] };
}

describe('the next process', () => {
  it('takes over each request with what was written down of it, and the descriptors of its start are closed', () => {
    lastLife();
    const inherited = store.passOn();
    const kept = next(inherited);
    const { chip, adopted } = chipOf();
    const held = kept.adopt(chip, WANTED, OPTIONS);
    expect(held.map(({ lines }) => lines)).toEqual([[BUTTON], [LED]]);
    expect(adopted).toMatchObject([
      { consumer: 'gpio-irqd', eventBufferSize: 1024, eventClock: 'monotonic', lines: [BUTTON], levels: [undefined] },
      { lines: [LED], levels: [1] },
    ]);
    const [button] = held;
    expect(button === undefined ? [] : kept.markOf(button.request, 17)?.[Mark.READ]).toBe(40);
    expect(inherited.map(({ fd }) => isOpen(fd))).toEqual([false, false, false, false]);
    expect(kept.adopt(chip, WANTED, OPTIONS)).toEqual([]);
    expect(said).toEqual(['info took over 2 lines of gpiochip0 [pinctrl-bcm2835] as the process before held them']);
  });

  it('goes on writing where it took over, for the one after it, and stores nothing twice', () => {
    const { names } = lastLife();
    const second = next();
    const [button] = second.adopt(chipOf().chip, WANTED, OPTIONS);
    const mark = button === undefined ? undefined : second.markOf(button.request, 17);
    if (mark === undefined) return expect.fail('not kept');
    mark[Mark.READ] = 41;
    expect([...store.kept.keys()]).toEqual(names);
    const third = next();
    const [again] = third.adopt(chipOf().chip, WANTED, OPTIONS);
    expect(again === undefined ? undefined : third.markOf(again.request, 17)?.[Mark.READ]).toBe(41);
  });

  it('finds a line as it was last configured', () => {
    lastLife();
    const second = next();
    const [, led] = second.adopt(chipOf().chip, WANTED, OPTIONS);
    if (led === undefined) return expect.fail('not kept');
    second.reconfigured(led.request, [{ ...LED, activeLow: true }]);
    expect(next().adopt(chipOf().chip, WANTED, OPTIONS)[1]?.lines).toEqual([{ ...LED, activeLow: true }]);
  });

  it('gives new requests names that are not in use', () => {
    lastLife();
    const kept = next();
    const { chip } = chipOf();
    kept.adopt(chip, WANTED, OPTIONS);
    take(kept, chip, { offset: 5, direction: 'out' });
    expect([...store.kept.keys()]).toEqual(['gpio-irqd.lines.1', 'gpio-irqd.lines.2', 'gpio-irqd.lines.3']);
  });
});

describe('what is let go of, and said', () => {
  it.each([
    ['a request that the kernel says is another', new KernelError('EINVAL', 'nobody holds it'), WANTED, OPTIONS, 2],
    ['a FIFO of another size, for a request with edges', undefined, WANTED, { ...OPTIONS, eventBufferSize: 64 }, 1],
    ['another clock, for a request with edges', undefined, WANTED, { ...OPTIONS, eventClock: 'realtime' as const }, 1],
    ['another consumer', undefined, WANTED, { consumer: 'other' }, 2],
  ])('%s', async (_, refusal, wanted, options, gone) => {
    lastLife();
    const kept = next();
    expect(kept.adopt(chipOf(refusal).chip, wanted, options)).toHaveLength(2 - gone);
    expect(said.filter((text) => text.includes('are let go of'))).toHaveLength(gone);
    await kept.letGo();
    expect(store.kept.size).toBe(2 - gone);
  });

  it('lines that nobody wants any more, and chips that are none of ours: when all others were taken', async () => {
    lastLife();
    const inherited = store.passOn();
    const kept = next(inherited);
    expect(kept.adopt(chipOf().chip, new Set([17]), OPTIONS)).toHaveLength(1);
    const other = chipOf().chip;
    Object.defineProperty(other, 'info', { value: { name: 'gpiochip1', label: 'expander', lines: 16 } });
    expect(kept.adopt(other, WANTED, OPTIONS)).toEqual([]);
    expect(store.kept.size).toBe(2);
    await kept.letGo();
    expect([...store.kept.keys()]).toEqual(['gpio-irqd.lines.1']);
    expect(inherited.some(({ fd }) => isOpen(fd))).toBe(false);
  });

  it('what cannot be read', async () => {
    const fd = openSync('/dev/null', 'r+');
    const [one, two] = [openSync('/dev/zero', 'r+'), openSync('/dev/zero', 'r+')];
    const other = openSync('/dev/null', 'r+');
    const kept = next([
      { fd, name: 'gpio-irqd.lines.1' },
      { fd: one, name: 'gpio-irqd.lines.2' },
      { fd: two, name: 'gpio-irqd.lines.2' },
      { fd: other, name: 'http.socket' },
    ]);
    await kept.letGo();
    expect(said).toEqual(
      Array.from({ length: 2 }, () => expect.stringContaining('it is not a request with its record')),
    );
    expect([fd, one, two].some(isOpen)).toBe(false);
    expect(isOpen(other)).toBe(true);
    closeSync(other);
  });

  it('a request whose lines are released', () => {
    const kept = next();
    const { chip } = chipOf();
    const led = take(kept, chip, LED);
    kept.drop(led);
    kept.drop(led);
    expect(store.kept.size).toBe(0);
    expect(kept.markOf(led, 4)).toBeUndefined();
  });
});

describe('where nothing can be kept', () => {
  it('that is said once, and the service goes on', async () => {
    store.willing = false;
    const kept = next();
    const { chip } = chipOf();
    take(kept, chip, BUTTON);
    await Promise.resolve();
    take(kept, chip, LED);
    await new Promise((resolve) => setImmediate(resolve));
    expect(said).toEqual(['warn lines are requested anew at a restart: the service manager does not take them']);
  });

  it('nothing of it stays open where a request has no descriptor any more', () => {
    const kept = next();
    const { chip } = chipOf();
    const gone = new KernelError('EBADF', 'released');
    Object.assign(chip, {
      descriptorOf: () => {
        throw gone;
      },
    });
    const memories = () => readdirSync('/proc/self/fd').filter((fd) => isKeptMemory(`/proc/self/fd/${fd}`));
    const before = memories();
    const request = chip.requestLines({ lines: [LED], ...OPTIONS });
    kept.keep(chip, request, [LED], OPTIONS);
    expect(memories()).toEqual(before);
    expect(kept.markOf(request, 4)).toBeUndefined();
    expect(said).toEqual(['warn lines are requested anew at a restart: released']);
  });

  it('a driver without descriptors is left alone', () => {
    const kept = next();
    const { chip } = createSimulatedPi({ machine: new Machine(), board: {} });
    const request = chip.open().requestLines({ ...OPTIONS, lines: [LED] });
    kept.keep(chip, request, [LED], OPTIONS);
    expect([store.kept.size, kept.markOf(request, 4)]).toEqual([0, undefined]);
  });
});
