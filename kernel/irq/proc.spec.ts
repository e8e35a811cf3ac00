import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import type { MachineOptions } from '../machine-options.js';
import { irqSetAffinity, irqUpdateAffinityHint } from './affinity.js';
import { handledAfter, thrownBy } from './fake-line.spec-helper.js';
import { IRQ_HIDDEN, IRQ_NO_BALANCING, IRQF_SHARED, IRQF_TRIGGER_HIGH, IRQF_TRIGGER_RISING } from './flags.js';
import { handleEdgeIrq } from './flow.js';
import type { IrqChip } from './irqdesc.js';
import { IrqDomain } from './irqdomain.js';
import { irqSetStatusFlags } from './line-setup.js';
import { freeIrq } from './manage.js';
import { showInterrupts } from './proc.js';
import { requestIrq } from './request.js';

type ChipCallbacks = { readonly [K in keyof IrqChip]?: IrqChip[K] | undefined };

const ERR = 'Err:          0\n';

function oracle(options: MachineOptions = {}, callbacks: ChipCallbacks = {}) {
  const printed: string[] = [];
  const machine = new Machine({ ...options, printk: (_level, text) => printed.push(text) });
  const chip = {
    name: 'oracle',
    mask: () => {},
    unmask: () => {},
    setType: () => {},
    setAffinity: (_desc: unknown, mask: number) => mask,
    ...callbacks,
  } as IrqChip;
  const domain = new IrqDomain(machine, { name: 'oracle', size: 64, chip, flow: handleEdgeIrq });
  // The recording's first line had number 24.
  while (machine.irqs.alloc(undefined, 0).irq < 23);
  const request = (irq: number, flags: number, name: string, devId: unknown = name): void => {
    machine.runTask(() =>
      requestIrq(
        irq,
        handledAfter(() => {}),
        flags,
        name,
        devId,
      ),
    );
  };
  const pulse = (hwirq: number, times: number, cpu = 0): void => {
    for (let i = 0; i < times; i++) machine.cpus[cpu]?.callFunction(() => domain.handle(hwirq));
  };
  const { files } = machine;
  const dir = (path: string): string[] => files.list(path).map(({ name }) => name);
  const write = (path: string, text: string): void => machine.runTask(() => files.write(path, text));
  const refusal = (path: string, text: string): unknown => thrownBy(() => write(path, text));
  return { machine, domain, request, pulse, files, dir, write, refusal, printed };
}

/** A machine with one line requested as `alpha`, on number 24. */
function alpha(options: MachineOptions = {}, callbacks: ChipCallbacks = {}) {
  const made = oracle(options, callbacks);
  made.request(made.domain.createMapping(3), IRQF_TRIGGER_RISING, 'alpha');
  return { ...made, desc: made.machine.irqs.get(24), at: (file: string) => made.files.read(`/proc/irq/24/${file}`) };
}

describe('/proc/interrupts', () => {
  it('is byte for byte what the kernel shows', () => {
    const { machine, domain, request, pulse } = oracle({ arch: 'x86' });
    for (const [hwirq, name] of [
      [0, 'edge'],
      [5, 'level'],
      [6, 'fasteoi'],
      [7, 'simple'],
    ] as const) {
      while (hwirq === 5 && machine.irqs.alloc(undefined, 0).irq < 28);
      machine.irqs.get(domain.createMapping(hwirq)).flowName = name;
    }
    request(24, IRQF_TRIGGER_RISING, 'alpha');
    request(29, IRQF_SHARED | IRQF_TRIGGER_HIGH, 'beta-1');
    request(29, IRQF_SHARED, 'beta-2');
    request(30, 0, 'gamma');
    pulse(0, 5);
    pulse(5, 2);
    pulse(6, 3);
    // Recorded from Linux 6.12 on x86-64 (19-proc-text); its tool trimmed the ends of lines.
    expect(showInterrupts(machine).split('\n')).toEqual([
      '           CPU0       ',
      ' 24:          5    oracle   0-edge      alpha',
      ' 29:          2    oracle   5-level     beta-1, beta-2',
      ' 30:          3    oracle   6-fasteoi   gamma',
      'ERR:          0',
      '',
    ]);
  });

  it('says Level or Edge on a Pi', () => {
    const { machine, domain, request } = oracle();
    request(domain.createMapping(5), IRQF_TRIGGER_HIGH, 'beta');
    machine.irqs.get(24).flowName = 'level';
    expect(showInterrupts(machine)).toContain(' 24:          0    oracle   5 Level   -level     beta\n');
  });

  it('has a column for each CPU, also for more than nine digits', () => {
    const { machine, domain, request, pulse } = oracle({ cpus: 2 });
    request(domain.createMapping(17), IRQF_TRIGGER_RISING, 'button1');
    pulse(17, 3, 0);
    pulse(17, 40, 1);
    const header = '           CPU0       CPU1       \n';
    expect(showInterrupts(machine)).toBe(`${header} 24:          3         40    oracle  17 Edge      button1\n${ERR}`);
    machine.irqs.get(24).counts[0] = 4_000_000_000;
    expect(showInterrupts(machine)).toContain(' 24: 4000000000         40    oracle  17 Edge      button1\n');
  });

  it('leaves out lines without an action, chained ones and hidden ones', () => {
    const { machine, domain, request, pulse } = oracle();
    const irq = domain.createMapping(1);
    domain.setChainedHandler(2, () => 0, 'bank');
    const empty = `           CPU0       \n${ERR}`;
    expect(showInterrupts(machine)).toBe(empty);
    request(irq, 0, 'once');
    pulse(1, 1);
    expect(showInterrupts(machine)).not.toBe(empty);
    machine.runTask(() => irqSetStatusFlags(irq, IRQ_HIDDEN));
    expect(showInterrupts(machine)).toBe(empty);
    machine.runTask(() => freeIrq(irq, 'once'));
    expect(showInterrupts(machine)).toBe(empty);
  });

  it("shows a chip as it prints itself, and '-' for one without a name", () => {
    const printed = alpha({}, { printChip: ({ hwirq }) => ` special@${hwirq}` });
    expect(showInterrupts(printed.machine)).toContain(' 24:          0  special@3   3 Edge      alpha\n');
    expect(showInterrupts(alpha({}, { name: '' }).machine)).toContain(' 24:          0         -   3 Edge');
  });

  it('counts the interrupts that no line answers for', () => {
    const { machine } = oracle();
    machine.irqs.errCount = 7;
    expect(machine.files.read('/proc/interrupts')).toBe('           CPU0       \nErr:          7\n');
  });
});

describe('/proc/irq/N', () => {
  it('comes with the first handler, and stays until the line is given back', () => {
    const { machine, dir, domain, request } = oracle();
    const irq = domain.createMapping(3);
    expect(dir('/proc/irq')).toEqual(['default_smp_affinity']);
    request(irq, 0, 'alpha');
    // Recorded from Linux 6.12 (19-proc-text).
    expect(dir('/proc/irq/24').join(' ')).toBe(
      'affinity_hint alpha effective_affinity effective_affinity_list node smp_affinity smp_affinity_list spurious',
    );
    machine.runTask(() => freeIrq(irq, 'alpha'));
    expect(dir('/proc/irq/24')).not.toContain('alpha');
    expect(dir('/proc/irq')).toContain('24');
    domain.disposeMapping(3);
    expect(dir('/proc/irq')).toEqual(['default_smp_affinity']);
  });

  it('has a directory a handler, of two with one name only the first', () => {
    const { machine, dir, domain, request } = oracle();
    const irq = domain.createMapping(3);
    request(irq, IRQF_SHARED, 'twin', 1);
    request(irq, IRQF_SHARED, 'twin', 2);
    expect(dir('/proc/irq/24').filter((name) => name === 'twin')).toHaveLength(1);
    machine.runTask(() => freeIrq(irq, 1));
    expect(dir('/proc/irq/24')).not.toContain('twin');
  });

  it.each([
    ['gpio/17', "name 'gpio/17'", '__xlate_proc_name'],
    ['', 'name len 0', '__proc_create'],
    ['spurious', "proc_dir_entry '24/spurious' already registered", 'proc_register'],
  ])('has no directory for a handler called %j, and warns', (name, text, where) => {
    const { machine, dir, domain, request, printed } = oracle();
    const irq = domain.createMapping(3);
    request(irq, 0, name, 1);
    expect(printed).toEqual([expect.stringContaining(text)]);
    expect(printed[0]).toContain(where);
    const before = dir('/proc/irq/24');
    machine.runTask(() => freeIrq(irq, 1));
    expect(dir('/proc/irq/24')).toEqual(before);
  });

  it('shows affinities, hint, node and what nobody handled', () => {
    const { at, machine, desc } = alpha({ cpus: 8 });
    expect([at('smp_affinity'), at('smp_affinity_list')]).toEqual(['ff\n', '0-7\n']);
    machine.runTask(() => {
      irqSetAffinity(24, 0b1101);
      irqUpdateAffinityHint(24, 0b10);
    });
    expect([at('smp_affinity'), at('smp_affinity_list')]).toEqual(['0d\n', '0,2-3\n']);
    expect([at('effective_affinity'), at('effective_affinity_list')]).toEqual(['0d\n', '0,2-3\n']);
    expect([at('affinity_hint'), at('node')]).toEqual(['02\n', '0\n']);
    Object.assign(desc, { irqCount: 3, irqsUnhandled: 2, lastUnhandled: 10 });
    expect(at('spurious')).toBe('count 3\nunhandled 2\nlast_unhandled 40 ms\n');
  });

  // Recorded from Linux 6.12 on one CPU (19-proc-text).
  it.each([
    ['smp_affinity', '0', 'EINVAL'],
    ['smp_affinity', 'zz', 'EINVAL'],
    ['smp_affinity', '8', 'EOVERFLOW'],
    ['smp_affinity', '100', 'EOVERFLOW'],
    ['smp_affinity', '1', undefined],
    ['smp_affinity_list', '1', 'ERANGE'],
    ['smp_affinity_list', '0-1', 'ERANGE'],
    ['smp_affinity_list', '7', 'ERANGE'],
    ['smp_affinity_list', '0', undefined],
    ['effective_affinity', '1', 'EIO'],
  ])('%s takes %s with %s', (name, text, code) => {
    const { refusal } = alpha();
    const found = refusal(`/proc/irq/24/${name}`, text);
    if (code === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject({ code });
  });

  it.each(['1\n', '0', 'zz'])('of a chip that cannot choose a CPU refuses any affinity (%j)', (text) => {
    const { refusal, files } = alpha({}, { setAffinity: undefined });
    expect(refusal('/proc/irq/24/smp_affinity', text)).toMatchObject({ code: 'EPERM' });
    expect(refusal('/proc/irq/24/smp_affinity_list', text)).toMatchObject({ code: 'EPERM' });
    expect(files.list('/proc/irq/24/smp_affinity')).toMatchObject([{ mode: 0o444 }]);
  });

  it('refuses to move a line that is to stay, whatever its mode was', () => {
    const { machine, refusal, files } = alpha({ cpus: 2 });
    machine.runTask(() => irqSetStatusFlags(24, IRQ_NO_BALANCING));
    expect(files.list('/proc/irq/24/smp_affinity')).toMatchObject([{ mode: 0o644 }]);
    expect(refusal('/proc/irq/24/smp_affinity', '1')).toMatchObject({ code: 'EPERM' });
  });

  it('shows a move that waits for the next interrupt as done, but for the effect', () => {
    const { at, write } = alpha({ cpus: 2, arch: 'x86' });
    write('/proc/irq/24/smp_affinity', '2');
    expect(at('smp_affinity')).toBe('2\n');
    expect(at('effective_affinity')).not.toBe('2\n');
  });
});

describe('an affinity without a CPU', () => {
  it('is refused where the move would wait, too', () => {
    const { refusal, desc } = alpha({ cpus: 2, arch: 'x86' });
    expect(refusal('/proc/irq/24/smp_affinity', '0')).toMatchObject({ code: 'EINVAL' });
    expect(desc.movePending).toBe(false);
  });
});

describe('default_smp_affinity', () => {
  it('is what new lines get', () => {
    const { files, write, domain, machine } = oracle({ cpus: 4 });
    expect(files.read('/proc/irq/default_smp_affinity')).toBe('f\n');
    write('/proc/irq/default_smp_affinity', '6\n');
    expect(files.read('/proc/irq/default_smp_affinity')).toBe('6\n');
    expect(machine.irqs.get(domain.createMapping(9)).affinity).toBe(6);
  });

  it('keeps at least one CPU', () => {
    const { refusal } = oracle({ cpus: 4 });
    expect(refusal('/proc/irq/default_smp_affinity', '0')).toMatchObject({ code: 'EINVAL' });
    expect(refusal('/proc/irq/default_smp_affinity', '10')).toMatchObject({ code: 'EOVERFLOW' });
  });

  it.each([
    ['2-3', 'd\n'],
    [0b110, '7\n'],
    ['all', 'f\n'],
  ])('is set by irqaffinity=%s, with the boot CPU', (irqaffinity, shown) => {
    expect(oracle({ cpus: 4, irqaffinity }).files.read('/proc/irq/default_smp_affinity')).toBe(shown);
  });
});

describe('/sys/kernel/irq/N', () => {
  it('shows what a line is, a value a file', () => {
    const { files, dir, domain, request, pulse, machine } = oracle({ cpus: 2 });
    const irq = domain.createMapping(5);
    const read = (name: string): string => files.read(`/sys/kernel/irq/24/${name}`);
    expect(dir('/sys/kernel/irq/24').join(' ')).toBe('actions chip_name hwirq name per_cpu_count type wakeup');
    expect([read('actions'), read('name')]).toEqual(['', '']);
    request(irq, IRQF_SHARED | IRQF_TRIGGER_HIGH, 'beta-1');
    request(irq, IRQF_SHARED, 'beta-2');
    pulse(5, 2, 1);
    Object.assign(machine.irqs.get(irq), { flowName: 'level', wakeup: true });
    expect(['actions', 'chip_name', 'hwirq', 'name', 'per_cpu_count', 'type', 'wakeup'].map(read)).toEqual([
      'beta-1,beta-2\n',
      'oracle\n',
      '5\n',
      'level\n',
      '0,2\n',
      'level\n',
      'enabled\n',
    ]);
    expect(files.read('/sys/kernel/irq/1/chip_name')).toBe('');
    expect(files.read('/sys/kernel/irq/1/hwirq')).toBe('');
  });

  it('goes with the line', () => {
    const { files, domain } = oracle();
    domain.createMapping(5);
    domain.disposeMapping(5);
    expect(files.exists('/sys/kernel/irq/24')).toBe(false);
  });
});
