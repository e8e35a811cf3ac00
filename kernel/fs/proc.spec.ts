import { describe, expect, it } from 'vitest';
import { handledAfter } from '../irq/fake-line.spec-helper.js';
import { handleEdgeIrq } from '../irq/flow.js';
import { IrqDomain } from '../irq/irqdomain.js';
import { requestIrq } from '../irq/request.js';
import { Machine } from '../machine.js';
import { raiseSoftirq, TASKLET_SOFTIRQ } from '../softirq/softirq.js';
import { mdelay, msleep } from '../time/delay.js';

function twoCpus() {
  const machine = new Machine({ cpus: 2 });
  const chip = { name: 'fake', mask: () => {}, unmask: () => {} };
  const domain = new IrqDomain(machine, { name: 'fake', size: 4, chip, flow: handleEdgeIrq });
  const row = (name: string): string[] => {
    const found = machine.files.read('/proc/stat').split('\n');
    return (found.find((line) => line.startsWith(`${name} `)) ?? '').split(/ +/).slice(1);
  };
  return { machine, domain, row };
}

describe('/proc/stat', () => {
  it('has a place for every interrupt number, and their sum in front', () => {
    const { machine, domain, row } = twoCpus();
    const irq = domain.createMapping(2);
    machine.runTask(() =>
      requestIrq(
        irq,
        handledAfter(() => {}),
        0,
        'dev',
      ),
    );
    for (const cpu of [0, 1, 1]) machine.cpus[cpu]?.callFunction(() => domain.handle(2));
    const [sum, ...counts] = row('intr');
    expect([sum, counts[irq], counts.length]).toEqual(['3', '3', machine.irqs.nrIrqs]);
    expect(counts.reduce((all, count) => all + Number(count), 0)).toBe(3);
  });

  it('shows where the time of each CPU went, in hundredths of a second', () => {
    const { machine, row } = twoCpus();
    machine.spawn('busy', () => mdelay(500), { cpusAllowed: 1 });
    machine.advance(2_000_000_000);
    expect(row('cpu0').slice(0, 7)).toEqual(['0', '0', '50', '150', '0', '0', '0']);
    expect(row('cpu1').slice(0, 7)).toEqual(['0', '0', '0', '200', '0', '0', '0']);
    expect(machine.files.read('/proc/stat').split('\n')[0]).toBe('cpu  0 0 50 350 0 0 0 0 0 0');
  });

  it('counts the tasks that run or could', () => {
    const { machine, row } = twoCpus();
    machine.spawn('busy', () => mdelay(500), { cpusAllowed: 1 });
    machine.spawn('waits', () => mdelay(500), { cpusAllowed: 1 });
    machine.spawn('asleep', () => msleep(500));
    machine.advance(100_000_000);
    expect(row('procs_running')).toEqual(['2']);
  });

  it('sums the softirqs, in the order of their vectors', () => {
    const { machine, row } = twoCpus();
    machine.runTask(() => raiseSoftirq(TASKLET_SOFTIRQ));
    machine.advance(10_000_000);
    const [sum, ...vectors] = row('softirq').map(Number);
    expect(vectors).toHaveLength(machine.softirqs.names.length);
    expect(vectors[TASKLET_SOFTIRQ]).toBe(1);
    expect(vectors.reduce((all, one) => all + one, 0)).toBe(sum);
  });
});

describe('/proc/softirqs', () => {
  it('is there', () => {
    const { machine } = twoCpus();
    expect(machine.files.read('/proc/softirqs').split('\n').slice(0, 2)).toEqual([
      '                    CPU0       CPU1       ',
      '          HI:          0          0',
    ]);
  });
});
