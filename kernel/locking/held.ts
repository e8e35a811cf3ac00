// What lockdep knows of locks: the classes that they fall into, and the locks that a task holds.
import type { Place } from './place.js';

/** What may be waited for inside a lock's section (enum lockdep_wait_type): spinning locks 2, sleeping locks 3, a task 4; 0 for what is not looked at. */
export const LD_WAIT_INV = 0;
export const LD_WAIT_SPIN = 2;
export const LD_WAIT_SLEEP = 3;
export const LD_WAIT_MAX = 4;
export type WaitType = typeof LD_WAIT_INV | typeof LD_WAIT_SPIN | typeof LD_WAIT_SLEEP;

/** How a lock is taken: 0 exclusively, 1 shared, 2 shared and again by who has it already. */
export type ReadMode = 0 | 1 | 2;

/** An order in which two classes were taken: one end's entry in the list of the other. */
export interface Dependency {
  readonly cls: LockClass;
  /** Where the order was first seen. */
  readonly place: Place;
  /** Kinds of the two takings, as bits {@link dependencyBit}. */
  kinds: number;
}

/** All locks made at one place under one name: what is learnt of one holds for all (struct lock_class). */
export class LockClass {
  readonly index: number;
  /** As shown, `#2` added when another class has the name already. */
  readonly name: string;
  readonly waitType: WaitType;
  /** Where its locks are made. */
  readonly definedAt: Place;
  /** Usage bits seen so far, and where each was seen first. */
  usage = 0;
  readonly usagePlaces: (Place | undefined)[] = [];
  /** Classes taken while this one was held, and the other way round. */
  readonly after: Dependency[] = [];
  readonly before: Dependency[] = [];

  constructor(index: number, name: string, waitType: WaitType, definedAt: Place) {
    this.index = index;
    this.name = name;
    this.waitType = waitType;
    this.definedAt = definedAt;
  }
}

/** A sequence of classes held one inside the other, once checked never checked again. */
export class LockChain {
  checked = false;
  /** Takings whose place was kept, and the last of these places. */
  places = 0;
  place: Place | undefined;
  readonly #next = new Map<number, LockChain>();

  next(cls: LockClass, read: ReadMode): LockChain {
    const key = cls.index * 4 + read;
    let chain = this.#next.get(key);
    if (chain === undefined) {
      chain = new LockChain();
      this.#next.set(key, chain);
    }
    return chain;
  }
}

/** One lock held by a task, or by an interrupt on top of it (struct held_lock). */
export interface HeldLock {
  readonly map: LockMap;
  readonly cls: LockClass;
  readonly place: Place;
  readonly read: ReadMode;
  readonly trylock: boolean;
  /** 2 for a hard interrupt, 1 for a softirq, 0 for a task. */
  readonly irqContext: number;
  readonly hardirqsOff: boolean;
  chain: LockChain;
}

/** A lock, as lockdep sees it (struct lockdep_map). */
export class LockMap {
  readonly name: string;
  readonly waitType: WaitType;
  readonly definedAt: Place;
  /** The lockdep that saw the lock last, of one machine; and there the classes by subclass, and the pseudo-address. */
  lockdep: object | undefined;
  readonly classes: (LockClass | undefined)[] = [];
  address = '';

  constructor(name: string, waitType: WaitType, definedAt: Place) {
    this.name = name;
    this.waitType = waitType;
    this.definedAt = definedAt;
  }
}
