// The model's kernel as the control API shows it: its lines one by one, its files, softirqs, workqueues and tasks.
import {
  cpulistPr,
  Durations,
  disableIrqNosync,
  enableIrq,
  type IrqDesc,
  KernelError,
  type Machine,
  showSoftirqs,
  showTasks,
  stateOfLine,
  taskList,
  type Workqueue,
  WQ_BH,
  WQ_CPU_INTENSIVE,
  WQ_FREEZABLE,
  WQ_HIGHPRI,
  WQ_MEM_RECLAIM,
  WQ_SYSFS,
  WQ_UNBOUND,
} from '../kernel/index.js';
import type { FileAnswer, IrqStatus, ModelTarget, WorkqueueStatus } from './control/model-target.js';

const SHOWN_FLAGS = {
  BH: WQ_BH,
  UNBOUND: WQ_UNBOUND,
  FREEZABLE: WQ_FREEZABLE,
  MEM_RECLAIM: WQ_MEM_RECLAIM,
  HIGHPRI: WQ_HIGHPRI,
  CPU_INTENSIVE: WQ_CPU_INTENSIVE,
  SYSFS: WQ_SYSFS,
};

/** How often a line was disabled through the API, and what was on it then: when all of that is gone, it has begun anew. */
interface Hold {
  readonly actions: IrqDesc['actions'];
  count: number;
}

/** Shows the kernel of one machine. Everything that changes something runs in a task of the model. */
export class ModelView implements ModelTarget {
  readonly #machine: Machine;
  readonly #holds = new WeakMap<IrqDesc, Hold>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  irq(irq: number): IrqStatus {
    const desc = this.#desc(irq);
    return {
      irq,
      hwirq: desc.hwirq,
      chip: desc.chip?.name ?? '',
      type: desc.isLevel ? 'level' : 'edge',
      actions: desc.chained ? [] : desc.actions.map((action) => action.name),
      chained: desc.chained,
      counts: [...desc.counts],
      enabled: desc.depth === 0,
      state: stateOfLine(desc),
      depth: desc.depth,
      throttled: desc.storm?.state.throttled ?? false,
      heldHere: this.#holdOf(desc)?.count ?? 0,
      pending: desc.pending,
      affinity: cpulistPr(desc.affinity),
      effectiveAffinity: cpulistPr(desc.effectiveAffinity),
      unhandled: desc.irqsUnhandled,
    };
  }

  async disableIrq(irq: number): Promise<IrqStatus> {
    const desc = this.#desc(irq);
    const { actions, chained } = desc;
    if (chained) {
      throw new KernelError('EPERM', `irq ${irq} hands on the interrupts of other lines`, {
        hint: 'disable one of those',
      });
    }
    if (actions.length === 0) {
      throw new KernelError('EINVAL', `irq ${irq} has no handler, so there is nothing to disable`);
    }
    await this.#machine.call(() => disableIrqNosync(irq), 'irq-ctl');
    const hold = this.#holdOf(desc);
    if (hold === undefined) this.#holds.set(desc, { actions, count: 1 });
    else hold.count++;
    return this.irq(irq);
  }

  async enableIrq(irq: number): Promise<IrqStatus> {
    const desc = this.#desc(irq);
    const hold = this.#holdOf(desc);
    if (hold === undefined) {
      const hint = desc.depth === 0 ? 'it is enabled' : 'a handler or a driver disabled it, and has to enable it';
      throw new KernelError('EINVAL', `irq ${irq} was not disabled from here`, { hint });
    }
    hold.count--;
    if (hold.count === 0) this.#holds.delete(desc);
    await this.#machine.call(() => enableIrq(irq), 'irq-ctl');
    return this.irq(irq);
  }

  async setAffinity(irq: number, mask: string): Promise<IrqStatus> {
    this.#desc(irq);
    await this.writeFile(`/proc/irq/${irq}/smp_affinity`, mask);
    return this.irq(irq);
  }

  readFile(path: string): FileAnswer {
    const { files } = this.#machine;
    return files.stat(path).directory ? { path, entries: files.list(path) } : { path, text: files.read(path) };
  }

  async writeFile(path: string, text: string): Promise<void> {
    await this.#machine.call(() => this.#machine.files.write(path, text), 'irq-ctl');
  }

  softirqs(): ReturnType<ModelTarget['softirqs']> {
    const { cpus, softirqs } = this.#machine;
    const counts = (nr: number): number[] => cpus.map((cpu) => cpu.softirqs.counts[nr] ?? 0);
    return {
      text: showSoftirqs(this.#machine),
      softirqs: softirqs.names.map((name, nr) => ({ name, counts: counts(nr) })),
    };
  }

  workqueues(): readonly WorkqueueStatus[] {
    return [...this.#machine.workqueues.all].map(workqueueStatus);
  }

  durations(): ReturnType<NonNullable<ModelTarget['durations']>> {
    const { trace, cpus } = this.#machine;
    trace.durations ??= new Durations(cpus.length);
    return trace.durations.read();
  }

  tasks(): ReturnType<ModelTarget['tasks']> {
    return { text: showTasks(this.#machine), tasks: taskList(this.#machine) };
  }

  #desc(irq: number): IrqDesc {
    const desc = this.#machine.irqs.find(irq);
    if (desc !== undefined) return desc;
    throw new KernelError('EINVAL', `there is no irq ${irq}`, { hint: '`gpio-irqctl interrupts` lists them' });
  }

  /** What was disabled here and still is. A line that was freed meanwhile has begun anew. */
  #holdOf(desc: IrqDesc): Hold | undefined {
    const hold = this.#holds.get(desc);
    if (hold === undefined || (desc.depth > 0 && hold.actions.some((action) => !action.removed))) return hold;
    this.#holds.delete(desc);
    return undefined;
  }
}

function workqueueStatus(wq: Workqueue): WorkqueueStatus {
  const sum = { active: 0, waiting: 0, started: 0, completed: 0 };
  for (const { nrActive, inactiveWorks, stats } of wq.pwqs) {
    sum.active += nrActive;
    sum.waiting += [...inactiveWorks].length;
    sum.started += stats.started;
    sum.completed += stats.completed;
  }
  return {
    name: wq.name,
    flags: Object.entries(SHOWN_FLAGS).flatMap(([name, bit]) => ((wq.flags & bit) === 0 ? [] : [name])),
    maxActive: wq.savedMaxActive,
    ...sum,
  };
}
