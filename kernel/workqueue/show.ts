// What the workqueues are at, for the log: who runs what, what waits, and which pool is stuck (show_all_workqueues).

import { cpulistPr } from '../lib/cpumask.js';
import type { ListHead } from '../lib/list.js';
import { thisCpu } from '../sched/current.js';
import { WQ_FREEZABLE } from './flags.js';
import { Barrier } from './flush.js';
import type { WorkerPool } from './pool.js';
import type { PoolWorkqueue } from './pwq.js';
import type { Work } from './work.js';
import type { Worker } from './worker.js';
import type { Workqueue } from './workqueue.js';

const POOL_BH = 1 << 0;
const POOL_MANAGER_ACTIVE = 1 << 1;
const POOL_DISASSOCIATED = 1 << 2;

const NSEC_PER_SEC = 1_000_000_000;

function poolInfo(pool: WorkerPool): string {
  const { attrs, bh, manager, disassociated } = pool;
  const managing = manager === undefined ? 0 : POOL_MANAGER_ACTIVE;
  const flags = (bh ? POOL_BH : 0) | managing | (disassociated ? POOL_DISASSOCIATED : 0);
  const kind = bh ? `bh${pool.highpri ? '-hi' : ''}` : `nice=${attrs.nice}`;
  return `cpus=${cpulistPr(attrs.cpumask)} node=0 flags=0x${flags.toString(16)} ${kind}`;
}

function workerId(worker: Worker): string {
  if (worker.task === undefined) return `bh${worker.pool.highpri ? '-hi' : ''}`;
  return `${worker.task.pid}${worker.rescues === undefined ? '' : '(RESCUER)'}`;
}

/** Items by the name of their function, those that follow one another as one: ` a, 3*b BAR(12)`. A barrier stands behind what it belongs to. */
function workNames(works: Iterable<Work>): string {
  const parts: { text: string; count: number; joined: boolean }[] = [];
  let linked = true;
  for (const work of works) {
    const text = work instanceof Barrier ? `BAR(${work.task.pid})` : work.name;
    const last = parts.at(-1);
    if (last !== undefined && last.text === text && !linked && !(work instanceof Barrier)) last.count++;
    else parts.push({ text, count: 1, joined: linked });
    linked = work.linked;
  }
  return parts
    .map(({ text, count, joined }) => `${joined ? '' : ','} ${count === 1 ? text : `${count}*${text}`}`)
    .join('');
}

function of(pwq: PoolWorkqueue, list: ListHead<Work>): Work[] {
  return [...list].filter((work) => work.pwq === pwq && work !== pwq.maydayCursor);
}

/** Prints what a part of a queue is at (show_pwq). */
export function showPwq(pwq: PoolWorkqueue): void {
  const { pool, maydayNode } = pwq;
  const mayday = maydayNode.empty ? '' : ' MAYDAY';
  const lines = [`  pwq ${pool.id}: ${poolInfo(pool)} active=${pwq.nrActive} refcnt=${pwq.refcnt}${mayday}`];
  const busy = [...pool.workers].filter((worker) => worker.currentPwq === pwq);
  if (busy.length > 0) {
    const texts = busy.map((worker) => `${workerId(worker)}:${worker.currentWork?.name}${workNames(worker.scheduled)}`);
    lines.push(`    in-flight: ${texts.join(' ,')}`);
  }
  const pending = of(pwq, pool.worklist);
  if (pending.length > 0) lines.push(`    pending:${workNames(pending)}`);
  if (!pwq.inactiveWorks.empty) lines.push(`    inactive:${workNames(pwq.inactiveWorks)}`);
  pool.machine.printk('info', lines.join('\n'));
}

/** Prints what a queue is at, unless it is idle (show_one_workqueue). Any context. */
export function showOneWorkqueue(wq: Workqueue): void {
  const busy = [...wq.pwqs].filter((pwq) => !pwq.isEmpty);
  if (busy.length === 0) return;
  wq.owner.printk('info', `workqueue ${wq.name}: flags=0x${wq.flags.toString(16)}`);
  for (const pwq of busy) showPwq(pwq);
}

/** Prints what a pool is at, unless all of its workers are idle (show_one_worker_pool). */
function showOneWorkerPool(pool: WorkerPool): void {
  const { machine, nrWorkers, manager } = pool;
  if (nrWorkers === pool.nrIdle) return;
  const hung = pool.worklist.empty ? 0 : Math.floor((machine.clock.now() - pool.watchdogNs) / NSEC_PER_SEC);
  const managed = manager?.task === undefined ? '' : ` manager: ${manager.task.pid}`;
  const idle = [...pool.idleList].map((worker) => ` ${workerId(worker)}`).join('');
  const idlers = idle === '' ? '' : ` idle:${idle}`;
  machine.printk('info', `pool ${pool.id}: ${poolInfo(pool)} hung=${hung}s workers=${nrWorkers}${managed}${idlers}`);
}

/** Prints all queues and pools that are at something (show_all_workqueues, SysRq t). Any context. */
export function showAllWorkqueues(): void {
  const { machine } = thisCpu();
  machine.printk('info', 'Showing busy workqueues and worker pools:');
  for (const wq of machine.workqueues.all) showOneWorkqueue(wq);
  for (const pool of machine.workqueues.pools) showOneWorkerPool(pool);
}

/** Prints the WQ_FREEZABLE queues that are at something (show_freezable_workqueues). Any context. */
export function showFreezableWorkqueues(): void {
  const { machine } = thisCpu();
  machine.printk('info', 'Showing freezable workqueues that are still busy:');
  for (const wq of machine.workqueues.all) if ((wq.flags & WQ_FREEZABLE) !== 0) showOneWorkqueue(wq);
}
