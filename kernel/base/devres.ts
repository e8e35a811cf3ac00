// Managed resources: what a driver has taken for a device, released in reverse order (drivers/base/devres.c).
import type { Coroutine, Process } from '../sched/coroutine.js';
import { type Effect, effect, finish } from '../sched/effect.js';
import type { Device } from './device.js';

/** A function that gives a resource back. Process context. */
export type DevmAction<T> = (data: T) => Process<unknown>;

/** A managed resource, or where a group begins or ends. */
export interface DevresNode {
  /** Tells kinds of resources apart (the release function of the kernel). */
  readonly kind: unknown;
  readonly data: unknown;
  release(): Process<unknown>;
}

/** Kinds of the two nodes of a group. */
const GROUP_OPEN = Symbol('devres group <');
const GROUP_CLOSE = Symbol('devres group >');

const nothing = (): void => {};

/** Manages one more resource (devres_add). Any context. */
export function devresAdd(dev: Device, node: DevresNode): void {
  dev.devres.push(node);
}

/** The resource that was added last of those that match. */
function findLast(dev: Device, kind: unknown, match: (data: unknown) => boolean): DevresNode | undefined {
  return dev.devres.findLast((node) => node.kind === kind && match(node.data));
}

/** Stops to manage the last resource that matches, without releasing it (devres_remove). `undefined` when there is none. Any context. */
export function devresRemove(dev: Device, kind: unknown, match: (data: unknown) => boolean): DevresNode | undefined {
  const node = findLast(dev, kind, match);
  if (node !== undefined) dev.devres.splice(dev.devres.indexOf(node), 1);
  return node;
}

/** Releases resources, newest first; one that throws does not keep the others. */
function* releaseNodes(dev: Device, nodes: readonly DevresNode[]): Coroutine<void> {
  for (const node of nodes.toReversed()) {
    try {
      yield* finish(node.release());
    } catch (error) {
      dev.machine.oops(`release of a resource of ${dev.name}`, error);
    }
  }
}

/** Releases all that is managed for a device, newest first (devres_release_all). Process context. */
export function* devresReleaseAll(dev: Device): Coroutine<void> {
  yield* releaseNodes(dev, dev.devres.splice(0));
}

/**
 * Has `action(data)` called when the driver gives the device up, or when its probe fails (devm_add_action). Any context.
 *
 * ```ts
 * probe(dev) {
 *   clkEnable(clk);
 *   devmAddAction(dev, clkDisable, clk);
 * }
 * ```
 */
export function devmAddAction<T>(dev: Device, action: DevmAction<T>, data: T): void {
  devresAdd(dev, { kind: action, data, release: () => action(data) });
}

/** As {@link devmAddAction}, which cannot fail here (devm_add_action_or_reset). Any context. */
export const devmAddActionOrReset = devmAddAction;

/** Undoes {@link devmAddAction}: the action is not called; an unknown one is warned of (devm_remove_action). Any context. */
export function devmRemoveAction<T>(dev: Device, action: DevmAction<T>, data: T): void {
  if (devresRemove(dev, action, (other) => other === data) === undefined) dev.machine.warn('', 'devm_remove_action');
}

/** Calls an action of {@link devmAddAction} now, and not again; an unknown one is warned of (devm_release_action). Process context. */
export function devmReleaseAction<T>(dev: Device, action: DevmAction<T>, data: T): Effect<void> {
  return releaseAction(dev, action, data);
}

const releaseAction = effect(function* releaseAction(dev: Device, action: unknown, data: unknown) {
  const node = devresRemove(dev, action, (other) => other === data);
  if (node === undefined) dev.machine.warn('', 'devm_release_action');
  else yield* finish(node.release());
});

/**
 * Begins a group of resources, to be released together (devres_open_group). Any context.
 *
 * @param id names the group; by default one of its own
 * @returns the id
 */
export function devresOpenGroup(dev: Device, id: unknown = Symbol('devres group')): unknown {
  devresAdd(dev, { kind: GROUP_OPEN, data: id, release: nothing });
  return id;
}

/** Where a group begins: the one with this id, or the newest that is open. -1, with a warning, when there is none. */
function findGroup(dev: Device, id: unknown, where: string): number {
  const closed = new Set(dev.devres.filter(({ kind }) => kind === GROUP_CLOSE).map(({ data }) => data));
  const at = dev.devres.findLastIndex(
    ({ kind, data }) => kind === GROUP_OPEN && (id === undefined ? !closed.has(data) : data === id),
  );
  if (at < 0) dev.machine.warn('', where);
  return at;
}

function endOfGroup(dev: Device, begin: number): number {
  const id = dev.devres[begin]?.data;
  return dev.devres.findIndex(({ kind, data }, at) => at > begin && kind === GROUP_CLOSE && data === id);
}

/** Ends a group, by default the newest that is open; an unknown one is warned of (devres_close_group). Any context. */
export function devresCloseGroup(dev: Device, id?: unknown): void {
  const begin = findGroup(dev, id, 'devres_close_group');
  const data = dev.devres[begin]?.data;
  if (begin >= 0) devresAdd(dev, { kind: GROUP_CLOSE, data, release: nothing });
}

/** Forgets a group and keeps its resources; an unknown one is warned of (devres_remove_group). Any context. */
export function devresRemoveGroup(dev: Device, id?: unknown): void {
  const begin = findGroup(dev, id, 'devres_remove_group');
  if (begin < 0) return;
  const end = endOfGroup(dev, begin);
  if (end >= 0) dev.devres.splice(end, 1);
  dev.devres.splice(begin, 1);
}

/** Nodes of groups that have their other end in `rest`: they stay. */
function cutGroups(nodes: readonly DevresNode[], rest: readonly DevresNode[]): DevresNode[] {
  const has = (wanted: unknown, id: unknown): boolean => rest.some(({ kind, data }) => kind === wanted && data === id);
  return nodes.filter(
    ({ kind, data }) =>
      (kind === GROUP_OPEN && has(GROUP_CLOSE, data)) || (kind === GROUP_CLOSE && has(GROUP_OPEN, data)),
  );
}

/**
 * Releases the resources of a group, newest first, and forgets it; an unknown one is warned of (devres_release_group).
 * Process context.
 */
export const devresReleaseGroup = effect(function* devresReleaseGroup(dev: Device, id?: unknown) {
  // Nothing is managed any more: the device is being given up, and its groups with it.
  if (dev.devres.length === 0) return;
  const begin = findGroup(dev, id, 'devres_release_group');
  if (begin < 0) return;
  const end = endOfGroup(dev, begin);
  const nodes = dev.devres.splice(begin, end < 0 ? dev.devres.length : end + 1 - begin);
  const stay = cutGroups(nodes, dev.devres);
  dev.devres.splice(begin, 0, ...stay);
  yield* releaseNodes(
    dev,
    nodes.filter((node) => !stay.includes(node)),
  );
});
