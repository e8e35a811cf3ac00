import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { handledAfter } from './fake-line.spec-helper.js';
import { IRQF_SHARED, IRQF_TRIGGER_HIGH, IRQF_TRIGGER_RISING } from './flags.js';
import { handleEdgeIrq } from './flow.js';
import { IrqDomain } from './irqdomain.js';
import { freeIrq } from './manage.js';
import { showInterrupts } from './proc.js';
import { requestIrq } from './request.js';

function oracle(cpus = 1) {
  const machine = new Machine({ cpus });
  const chip = { name: 'oracle', mask: () => {}, unmask: () => {}, setType: () => {} };
  const domain = new IrqDomain(machine, { name: 'oracle', size: 64, chip, flow: handleEdgeIrq });
  // The recording's first line had number 24.
  while (machine.irqs.alloc(undefined, 0).irq < 23);
  const request = (irq: number, flags: number, name: string): void => {
    machine.runTask(() =>
      requestIrq(
        irq,
        handledAfter(() => {}),
        flags,
        name,
        name,
      ),
    );
  };
  const pulse = (hwirq: number, times: number, cpu = 0): void => {
    for (let i = 0; i < times; i++) machine.cpus[cpu]?.callFunction(() => domain.handle(hwirq));
  };
  return { machine, domain, request, pulse };
}

/** The table without the Level/Edge column, which the recording's architecture does not show. */
function withoutType(table: string): string {
  return table.replaceAll(/ (?:Level|Edge ) {3}(?=-)/g, '');
}

describe('/proc/interrupts', () => {
  it('is byte for byte what the kernel shows', () => {
    const { machine, domain, request, pulse } = oracle();
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
    expect(withoutType(showInterrupts(machine)).split('\n')).toEqual([
      '           CPU0       ',
      ' 24:          5    oracle   0-edge      alpha',
      ' 29:          2    oracle   5-level     beta-1, beta-2',
      ' 30:          3    oracle   6-fasteoi   gamma',
      '',
    ]);
    expect(showInterrupts(machine)).toContain(' 29:          2    oracle   5 Level   -level     beta-1, beta-2\n');
  });

  it('has a column for each CPU', () => {
    const { machine, domain, request, pulse } = oracle(2);
    request(domain.createMapping(17), IRQF_TRIGGER_RISING, 'button1');
    pulse(17, 3, 0);
    pulse(17, 40, 1);
    expect(showInterrupts(machine)).toBe(
      '           CPU0       CPU1       \n 24:          3         40    oracle  17 Edge      button1\n',
    );
  });

  it('shows a line without an action once it has counted, and a chained one never', () => {
    const { machine, domain, request, pulse } = oracle();
    const irq = domain.createMapping(1);
    domain.setChainedHandler(2, () => 0, 'bank');
    const header = '           CPU0       \n';
    expect(showInterrupts(machine)).toBe(header);
    request(irq, 0, 'once');
    pulse(1, 1);
    machine.runTask(() => freeIrq(irq, 'once'));
    expect(showInterrupts(machine)).toBe(`${header} 24:          1    oracle   1 Edge    \n`);
  });
});
