// A queue by deadline, first in first out when equal: a binary heap whose members know their place.

/** What a {@link DeadlineHeap} orders. The heap writes `order` and `index`; its user writes nothing while it is in the heap. */
export interface Deadline {
  dueNs: number;
  /** Number of the insertion, which decides between equal deadlines. */
  order: number;
  /** Place in the heap, -1 when in none. */
  index: number;
}

/** Insertion and removal in O(log n), with nothing allocated. */
export class DeadlineHeap<T extends Deadline> {
  readonly #heap: T[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  get first(): T | undefined {
    return this.#heap[0];
  }

  /** The `order` that the next member gets. */
  get nextOrder(): number {
    return this.#order;
  }

  /** Puts a member in, or at its new place; true when it is the first now. */
  put(member: T, dueNs: number): boolean {
    if (member.index >= 0) this.remove(member);
    member.dueNs = dueNs;
    member.order = this.#order++;
    member.index = this.#heap.length;
    this.#heap.push(member);
    this.#up(member);
    return member.index === 0;
  }

  /** Takes a member out; one that is not in the heap is left alone. */
  remove(member: T): void {
    const hole = member.index;
    if (hole < 0) return;
    member.index = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === member) return;
    this.#heap[hole] = last;
    last.index = hole;
    this.#up(last);
    this.#down(last);
  }

  /** All members, in no order. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.#heap.values();
  }

  #before(a: T, b: T): boolean {
    return a.dueNs < b.dueNs || (a.dueNs === b.dueNs && a.order < b.order);
  }

  #up(member: T): void {
    while (member.index > 0) {
      const at = (member.index - 1) >> 1;
      const parent = this.#heap[at];
      if (parent === undefined || !this.#before(member, parent)) return;
      this.#swap(member, parent);
    }
  }

  #down(member: T): void {
    for (;;) {
      const left = this.#heap[2 * member.index + 1];
      const right = this.#heap[2 * member.index + 2];
      const least = right !== undefined && left !== undefined && this.#before(right, left) ? right : left;
      if (least === undefined || !this.#before(least, member)) return;
      this.#swap(member, least);
    }
  }

  #swap(a: T, b: T): void {
    const at = a.index;
    this.#heap[b.index] = a;
    this.#heap[at] = b;
    a.index = b.index;
    b.index = at;
  }
}
