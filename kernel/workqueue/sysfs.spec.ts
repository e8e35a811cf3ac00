import { describe, expect, it } from 'vitest';
import { KernelError } from '../errno.js';
import { Machine } from '../machine.js';
import type { MachineOptions } from '../machine-options.js';
import { current, smpProcessorId } from '../sched/current.js';
import { mdelay, msleep } from '../time/delay.js';
import { allocWorkqueueAttrs, WQ_AFFN_CPU } from './attrs.js';
import { destroyWorkqueue } from './drain.js';
import { WQ_HIGHPRI, WQ_SYSFS, WQ_UNBOUND } from './flags.js';
import { flushWork } from './flush.js';
import { queueWork, queueWorkOn } from './queue.js';
import { workqueueSetUnboundCpumask, workqueueUnboundExcludeCpumask } from './sysfs.js';
import { applyWorkqueueAttrs } from './unbound.js';
import { Work } from './work.js';
import { allocOrderedWorkqueue, allocWorkqueue, type Workqueue } from './workqueue.js';

const BUS = '/sys/devices/virtual/workqueue';

function rig(flags = WQ_SYSFS | WQ_UNBOUND, options: MachineOptions = { cpus: 4 }) {
  const printed: string[] = [];
  const machine = new Machine({ ...options, printk: (_, text) => printed.push(text) });
  const wq = machine.runTask(() => allocWorkqueue('demo', flags, 0));
  const read = (name: string): string => machine.files.read(`${BUS}/${name}`);
  /** What writing says: the name of the error, or what is read back. */
  const write = (name: string, text: string): string => {
    try {
      machine.runTask(() => machine.files.write(`${BUS}/${name}`, text));
      return read(name);
    } catch (error) {
      return error instanceof KernelError ? error.code : String(error);
    }
  };
  /** Where an item of the queue runs that is queued on a CPU. */
  const where = (queue: Workqueue, cpu = 0): string =>
    machine.runTask(function* () {
      let place = '';
      const work = new Work(() => {
        place = `${current().comm.replace(/:\d+/, '')} ${current().nice} cpu${smpProcessorId()} of ${current().cpusAllowed.toString(16)}`;
      });
      queueWorkOn(cpu, queue, work);
      yield* flushWork(work);
      return place;
    });
  return { machine, printed, wq, read, write, where };
}

describe('the directory of a queue', () => {
  it('has two files, and four more when it is unbound', () => {
    const names = (flags: number): string[] =>
      rig(flags)
        .machine.files.list(`${BUS}/demo`)
        .map(({ name }) => name);
    expect(names(WQ_SYSFS)).toEqual(['max_active', 'per_cpu']);
    expect(names(WQ_SYSFS | WQ_UNBOUND)).toEqual([
      'affinity_scope',
      'affinity_strict',
      'cpumask',
      'max_active',
      'nice',
      'per_cpu',
    ]);
  });

  it('shows what the queue was made with', () => {
    const { read } = rig(WQ_SYSFS | WQ_UNBOUND | WQ_HIGHPRI);
    expect(
      ['per_cpu', 'max_active', 'nice', 'cpumask', 'affinity_scope', 'affinity_strict'].map((f) => read(`demo/${f}`)),
    ).toEqual(['0\n', '256\n', '-20\n', 'f\n', 'default (cache)\n', '0\n']);
    expect(rig(WQ_SYSFS).read('demo/per_cpu')).toBe('1\n');
  });

  it.each([
    ['max_active', '7\n', '7\n'],
    ['max_active', ' 12 items', '12\n'],
    ['max_active', '600\n', '512\n'],
    ['max_active', '0\n', 'EINVAL'],
    ['max_active', '-3\n', 'EINVAL'],
    ['max_active', 'many\n', 'EINVAL'],
    ['per_cpu', '1\n', 'EACCES'],
    ['nice', '5\n', '5\n'],
    ['nice', '-20\n', '-20\n'],
    ['nice', '20\n', 'EINVAL'],
    ['nice', '-21\n', 'EINVAL'],
    ['nice', '\n', 'EINVAL'],
    ['cpumask', '6\n', '6\n'],
    ['cpumask', '1f\n', 'EOVERFLOW'],
    ['cpumask', '0\n', '0\n'],
    ['cpumask', 'x\n', 'EINVAL'],
    ['affinity_scope', 'cpu\n', 'cpu\n'],
    ['affinity_scope', 'SYSTEM', 'system\n'],
    ['affinity_scope', 'default\n', 'default (cache)\n'],
    ['affinity_scope', 'socket\n', 'EINVAL'],
    ['affinity_strict', '1\n', '1\n'],
    ['affinity_strict', '-4\n', '1\n'],
    ['affinity_strict', 'yes\n', 'EINVAL'],
  ])('%s takes %j: %j', (name, text, expected) => {
    const { write } = rig();
    expect(write(`demo/${name}`, text)).toBe(expected);
  });

  it('goes away with the queue, and is not there twice', () => {
    const { machine, wq } = rig();
    expect(() => machine.runTask(() => allocWorkqueue('demo', WQ_SYSFS, 0))).toThrow('exists');
    machine.runTask(() => destroyWorkqueue(wq));
    expect(machine.files.exists(`${BUS}/demo`)).toBe(false);
  });

  it('is refused to an ordered queue, with a warning', () => {
    const { machine, printed } = rig();
    expect(() => machine.runTask(() => allocOrderedWorkqueue('ordered', WQ_SYSFS))).toThrow('ordered');
    expect(printed[0]).toMatch(/workqueue_sysfs_register/);
  });
});

describe('the attributes of an unbound queue', () => {
  it('say with which nice value, and on which CPUs, its items run', () => {
    const { wq, write, where } = rig();
    expect(where(wq, 2)).toMatch(/^kworker\/u16 0 cpu\d of f$/);
    write('demo/nice', '7');
    write('demo/cpumask', 'c');
    expect(where(wq)).toMatch(/^kworker\/u\d+ 7 cpu[23] of c$/);
    write('demo/affinity_scope', 'cpu');
    write('demo/affinity_strict', '1');
    expect([where(wq, 2), where(wq, 3), where(wq, 0)]).toEqual([
      expect.stringMatching(/^kworker\/u\d+ 7 cpu2 of 4$/),
      expect.stringMatching(/^kworker\/u\d+ 7 cpu3 of 8$/),
      expect.stringMatching(/^kworker\/u\d+ 7 cpu[23] of c$/),
    ]);
  });

  it('have a worker wake on a CPU of its group, which it may leave when they are busy', () => {
    const { machine, wq, write, where } = rig();
    write('demo/affinity_scope', 'cpu');
    const places = [3, 1, 2, 3].map((cpu) => where(wq, cpu));
    expect(places.map((place) => place.replace(/^\S+ /, ''))).toEqual([3, 1, 2, 3].map((cpu) => `0 cpu${cpu} of f`));
    machine.spawn('busy', () => mdelay(20), { rtPriority: 1, cpusAllowed: 8 });
    expect(where(wq, 3)).toMatch(/cpu[012] of f$/);
    machine.advance(20_000_000);
    expect(where(wq, 3)).toMatch(/cpu3 of f$/);
    const counted = [...wq.pwqs].reduce((sum, { stats }) => sum + stats.repatriated, 0);
    expect(counted).toBeGreaterThan(0);
  });

  it('change while items run: those end where they are, and their pool goes when it is not used any more', () => {
    const { machine, wq } = rig(WQ_UNBOUND);
    const pools = (): number[] => machine.workqueues.pools.filter(({ cpu }) => cpu === undefined).map(({ id }) => id);
    const before = pools();
    machine.runTask(function* () {
      const attrs = allocWorkqueueAttrs();
      attrs.nice = 3;
      applyWorkqueueAttrs(wq, attrs);
      const nices: number[] = [];
      const work = new Work(function* () {
        nices.push(current().nice);
        yield* msleep(20);
        nices.push(current().nice);
      });
      queueWork(wq, work);
      yield* msleep(1);
      attrs.nice = 9;
      applyWorkqueueAttrs(wq, attrs);
      expect(queueWork(wq, work)).toBe(true);
      yield* flushWork(work);
      expect(nices).toEqual([3, 3, 3, 3]);
      queueWork(wq, work);
      yield* flushWork(work);
      expect(nices.slice(4)).toEqual([9, 9]);
      yield* msleep(10);
    });
    expect(pools()).toHaveLength(before.length + 1);
    expect([...machine.tasks].map(({ nice }) => nice)).not.toContain(3);
    machine.runTask(function* () {
      yield* destroyWorkqueue(wq);
      yield* msleep(10);
    });
    expect(pools()).toEqual(before);
  });

  it('keep the order of an ordered queue, whose items wait for the older ones', () => {
    const { machine } = rig();
    const order: number[] = [];
    machine.runTask(function* () {
      const wq = allocOrderedWorkqueue('ordered', 0);
      for (let i = 0; i < 12; i++) {
        queueWork(
          wq,
          new Work(function* () {
            yield* msleep(12 - i);
            order.push(i);
          }),
        );
        const { unboundAttrs } = wq;
        if (i % 3 !== 0 || unboundAttrs === undefined) continue;
        const attrs = unboundAttrs.copy();
        attrs.nice = i;
        applyWorkqueueAttrs(wq, attrs);
      }
      yield* destroyWorkqueue(wq);
    });
    expect(order).toEqual(Array.from({ length: 12 }, (_, i) => i));
  });

  it('are refused to a bound queue', () => {
    const { machine, wq, printed } = rig(0);
    const apply = (): void => machine.runTask(() => applyWorkqueueAttrs(wq, allocWorkqueueAttrs()));
    expect(apply).toThrow('is not unbound');
    expect(printed).toHaveLength(1);
  });
});

describe('the CPUs of all unbound queues', () => {
  it('are read, written and taken out', () => {
    const { machine, read, write, wq, where } = rig();
    const masks = (): string[] => ['cpumask', 'cpumask_requested', 'cpumask_isolated'].map((name) => read(name).trim());
    expect(masks()).toEqual(['f', 'f', '0']);
    expect(write('cpumask', '0\n')).toBe('EINVAL');
    expect(write('cpumask', 'a\n')).toBe('a\n');
    expect(write('cpumask_requested', '1')).toBe('EACCES');
    expect(where(wq)).toMatch(/ cpu[13] of a$/);
    expect(read('demo/cpumask')).toBe('f\n');
    machine.runTask(() => workqueueUnboundExcludeCpumask(2));
    expect(masks()).toEqual(['8', 'a', '2']);
    expect(where(wq)).toMatch(/ cpu3 of 8$/);
    machine.runTask(() => workqueueUnboundExcludeCpumask(0xf));
    expect(masks()).toEqual(['a', 'a', 'f']);
    expect(() => machine.runTask(() => workqueueSetUnboundCpumask(0x10))).toThrow('no CPU of this machine');
  });

  it('that may not be used have their items run on the others in turn', () => {
    const { machine, wq, write } = rig();
    write('cpumask', 'c');
    write('demo/affinity_scope', 'cpu');
    write('demo/affinity_strict', '1');
    const cpus: number[] = [];
    machine.runTask(function* () {
      for (let i = 0; i < 4; i++) {
        const work = new Work(() => {
          cpus.push(smpProcessorId());
          return mdelay(1);
        });
        machine.cpus[0]?.callFunction(() => {
          queueWork(wq, work);
          return 0;
        });
        yield* msleep(4);
      }
    });
    expect(cpus).toEqual([2, 3, 2, 3]);
  });
});

describe('the parameters of the module', () => {
  const parameters = '/sys/module/workqueue/parameters';

  it('can be read, and some be written', () => {
    const { machine, wq, where } = rig();
    const { files } = machine;
    const put = (name: string, text: string): void => machine.runTask(() => files.write(`${parameters}/${name}`, text));
    expect(files.read(`${parameters}/power_efficient`)).toBe('N\n');
    expect(files.read(`${parameters}/cpu_intensive_thresh_us`)).toBe('10000\n');
    put('cpu_intensive_thresh_us', '500\n');
    expect(machine.workqueues.cpuIntensiveThreshUs).toBe(500);
    expect(() => put('cpu_intensive_thresh_us', '5ms')).toThrow("'5ms' is no number");
    expect(() => put('default_affinity_scope', 'default')).toThrow('cannot be');
    put('default_affinity_scope', 'cpu');
    expect(files.read(`${BUS}/demo/affinity_scope`)).toBe('default (cpu)\n');
    machine.runTask(() => {
      const attrs = allocWorkqueueAttrs();
      attrs.affnScope = WQ_AFFN_CPU;
      attrs.affnStrict = true;
      applyWorkqueueAttrs(wq, attrs);
    });
    expect(where(wq, 1)).toMatch(/ cpu1 of 2$/);
  });
});
