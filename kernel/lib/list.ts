// Doubly linked lists: what is linked carries its node, so that it can leave from anywhere at once (include/linux/list.h).

/** The head of a list, or the node by which something is on one: then with its `owner`. A node on no list is linked to itself. */
export class ListHead<T> {
  next: ListHead<T> = this;
  prev: ListHead<T> = this;
  /** Whose node it is; undefined for the head of a list. */
  readonly owner: T | undefined;

  constructor(owner?: T) {
    this.owner = owner;
  }

  /** As a head: nothing is on the list; as a node: it is on none (list_empty). */
  get empty(): boolean {
    return this.next === this;
  }

  /** What is in front; undefined on an empty list. */
  get first(): T | undefined {
    return this.next.owner;
  }

  /** What is at the end; undefined on an empty list. */
  get last(): T | undefined {
    return this.prev.owner;
  }

  /** What is on the list, from the front; the one that was given last may leave the list. */
  *[Symbol.iterator](): Iterator<T> {
    let node = this.next;
    while (node !== this) {
      const { next, owner } = node;
      if (owner !== undefined) yield owner;
      node = next;
    }
  }
}

/** Puts a node in front of `next`: at the end of the list when that is the head (list_add_tail). */
export function listAddTail<T>(node: ListHead<T>, next: ListHead<T>): void {
  const { prev } = next;
  node.prev = prev;
  node.next = next;
  prev.next = node;
  next.prev = node;
}

/** Puts a node behind `prev`: in front of the list when that is the head (list_add). */
export function listAdd<T>(node: ListHead<T>, prev: ListHead<T>): void {
  listAddTail(node, prev.next);
}

/** Takes a node off its list, if it is on one (list_del_init). */
export function listDelInit<T>(node: ListHead<T>): void {
  const { prev, next } = node;
  prev.next = next;
  next.prev = prev;
  node.prev = node;
  node.next = node;
}

/** Moves a node to the end of a list (list_move_tail). */
export function listMoveTail<T>(node: ListHead<T>, head: ListHead<T>): void {
  listDelInit(node);
  listAddTail(node, head);
}

/** Moves all that is on `list`, in its order, to the end of another; `list` is empty then (list_splice_tail_init). */
export function listSpliceTailInit<T>(list: ListHead<T>, head: ListHead<T>): void {
  if (!list.empty) spliceBetween(list, head.prev, head);
}

/** As {@link listSpliceTailInit}, to the front (list_splice_init). */
export function listSpliceInit<T>(list: ListHead<T>, head: ListHead<T>): void {
  if (!list.empty) spliceBetween(list, head, head.next);
}

function spliceBetween<T>(list: ListHead<T>, prev: ListHead<T>, next: ListHead<T>): void {
  const { next: first, prev: last } = list;
  first.prev = prev;
  prev.next = first;
  last.next = next;
  next.prev = last;
  list.next = list;
  list.prev = list;
}
