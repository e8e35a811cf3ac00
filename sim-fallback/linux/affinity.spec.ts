import { describe, expect, it } from 'vitest';
import { IRQ_HANDLED, KernelError, Machine, requestIrq } from '../../kernel/index.js';
import { LAB_BOARD } from '../board/board.js';
import { createSimulatedPi } from './simulated-pi.js';

describe('a GPIO line of the simulated Pi', () => {
  it('stays on the CPU of its controller, as the chip of a Pi has no way to send it to another', () => {
    const machine = new Machine({ cpus: 4 });
    const { pinctrl } = createSimulatedPi({ machine, board: LAB_BOARD });
    const irq = pinctrl.toIrq(17);
    machine.runTask(() => requestIrq(irq, () => IRQ_HANDLED, 1, 'button', 1));
    expect(machine.files.list(`/proc/irq/${irq}/smp_affinity`)).toMatchObject([{ mode: 0o444 }]);
    const write = (): void => machine.runTask(() => machine.files.write(`/proc/irq/${irq}/smp_affinity`, '2'));
    expect(write).toThrow(KernelError);
    expect(write).toThrow('cannot be sent to another CPU');
  });
});
