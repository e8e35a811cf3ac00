import { describe, expect, it } from 'vitest';
import { msleep } from '../time/delay.js';
import { fakeLines, thrownBy } from './fake-line.spec-helper.js';
import {
  IRQ_DISABLE_UNLAZY,
  IRQ_HANDLED,
  IRQ_LEVEL,
  IRQ_NO_DEBUG,
  IRQ_NOAUTOEN,
  IRQ_NOREQUEST,
  IRQ_SET_MASK_OK_NOCOPY,
  IRQ_TYPE_EDGE_FALLING,
  IRQ_TYPE_EDGE_RISING,
  IRQ_TYPE_LEVEL_HIGH,
  IRQCHIP_SET_TYPE_MASKED,
} from './flags.js';
import { handleEdgeIrq, handleLevelIrq } from './flow.js';
import type { FlowHandler, IrqChip } from './irqdesc.js';
import {
  irqClearStatusFlags,
  irqSetChainedHandler,
  irqSetChainedHandlerAndData,
  irqSetChip,
  irqSetChipAndHandler,
  irqSetChipData,
  irqSetHandler,
  irqSetHandlerLocked,
  irqSetIrqType,
  irqSetPercpuDevid,
  irqSetStatusFlags,
} from './line-setup.js';
import { disableIrqNosync, enableIrq } from './manage.js';
import { requestIrq } from './request.js';

const chained: FlowHandler = () => 0;

describe('a flow handler', () => {
  it('needs a chip: without one there is a warning, and nothing changes', () => {
    const { machine, irq, desc, printed } = fakeLines();
    machine.runTask(() => {
      irqSetChip(irq, null);
      irqSetHandler(irq, handleLevelIrq);
    });
    expect([desc.handleIrq, printed]).toEqual([handleEdgeIrq, ['warning:  (__irq_do_set_handler)']]);
    machine.runTask(() =>
      irqSetChipAndHandler(irq, { name: 'new', mask: () => {}, unmask: () => {} }, handleLevelIrq, 'level'),
    );
    expect([desc.handleIrq, desc.chip?.name, desc.flowName]).toEqual([handleLevelIrq, 'new', 'level']);
  });

  it('that is taken away leaves the line masked and disabled', () => {
    const { machine, irq, desc, taken } = fakeLines();
    machine.runTask(() => requestIrq(irq, () => IRQ_HANDLED, 0, 'd'));
    taken();
    machine.runTask(() => irqSetHandler(irq, null));
    expect([taken(), desc.depth, desc.disabled, desc.masked]).toEqual([['mask_ack'], 1, true, true]);
  });

  it('is set with the bus of the chip locked', () => {
    const log: string[] = [];
    const chip: IrqChip = {
      name: 'behind a bus',
      mask: () => {},
      unmask: () => {},
      busLock: function* () {
        yield* msleep(1);
        log.push('lock');
      },
      busSyncUnlock: () => void log.push('unlock'),
    };
    const { machine, irq, desc } = fakeLines();
    machine.runTask(function* () {
      yield* irqSetChipAndHandler(irq, chip, handleLevelIrq);
    });
    expect([log, desc.handleIrq]).toEqual([['lock', 'unlock'], handleLevelIrq]);
    expect(() => machine.runTask(() => void irqSetHandler(irq, handleEdgeIrq))).toThrow(/EAGAIN|waits for the bus/);
    expect(desc.handleIrq).toBe(handleLevelIrq);
  });
});

describe('a chained handler', () => {
  it('starts its line up, and keeps requests away', () => {
    const { machine, irq, desc, taken } = fakeLines();
    machine.runTask(() => irqSetChainedHandlerAndData(irq, chained, 'data'));
    expect([taken(), desc.started, desc.depth, desc.handlerData]).toEqual([['unmask'], true, 0, 'data']);
    const refused = (): void => machine.runTask(() => requestIrq(irq, () => IRQ_HANDLED, 0, 'd'));
    expect(thrownBy(refused)).toMatchObject({ code: 'EINVAL' });
    machine.runTask(() => irqSetChainedHandler(irq, null));
    expect([taken(), desc.started, desc.disabled, desc.actions]).toEqual([['mask_ack'], true, true, []]);
  });

  it('configures the type that is known, and stays in place though the chip chooses a flow by it', () => {
    const types: number[] = [];
    const { machine, irq, desc } = fakeLines({
      chip: {
        setType: (line, type) => {
          types.push(type);
          irqSetHandlerLocked(line, handleLevelIrq);
        },
      },
    });
    desc.type = IRQ_TYPE_LEVEL_HIGH;
    machine.runTask(() => irqSetChainedHandler(irq, chained));
    expect([types, desc.handleIrq, desc.isLevel]).toEqual([[IRQ_TYPE_LEVEL_HIGH], chained, true]);
  });

  it('that another flow has replaced is missed, once, when that runs', () => {
    const { machine, irq, desc, pulse, printed } = fakeLines();
    machine.runTask(() => irqSetChainedHandler(irq, chained));
    irqSetHandlerLocked(desc, handleEdgeIrq);
    pulse();
    pulse();
    expect(printed).toEqual([`warning: Chained irq ${irq} should not call an action (bad_chained_irq)`]);
  });
});

describe('the trigger type', () => {
  it('is taken over into the settings, a level as such', () => {
    const { machine, irq, desc } = fakeLines();
    machine.runTask(() => irqSetIrqType(irq, IRQ_TYPE_LEVEL_HIGH));
    expect([desc.type, desc.isLevel, desc.settings & 0xf]).toEqual([IRQ_TYPE_LEVEL_HIGH, true, IRQ_TYPE_LEVEL_HIGH]);
    machine.runTask(() => irqSetIrqType(irq, IRQ_TYPE_EDGE_RISING));
    expect([desc.type, desc.isLevel, desc.settings & 0xf]).toEqual([IRQ_TYPE_EDGE_RISING, false, IRQ_TYPE_EDGE_RISING]);
  });

  it('is what the chip has made of it, when it says so', () => {
    const { machine, irq, desc } = fakeLines({
      chip: {
        setType: (line) => {
          line.type = IRQ_TYPE_EDGE_FALLING;
          return IRQ_SET_MASK_OK_NOCOPY;
        },
      },
    });
    machine.runTask(() => irqSetIrqType(irq, IRQ_TYPE_EDGE_RISING));
    expect([desc.type, desc.settings & 0xf]).toEqual([IRQ_TYPE_EDGE_FALLING, IRQ_TYPE_EDGE_FALLING]);
  });

  it('changes with the line masked, on a chip that wants it so, unless it is masked already', () => {
    const lines = fakeLines({ chip: { flags: IRQCHIP_SET_TYPE_MASKED, setType: () => lines.log.push('set_type') } });
    const { machine, irq, taken } = lines;
    machine.runTask(() => irqSetIrqType(irq, IRQ_TYPE_EDGE_RISING));
    expect(taken()).toEqual(['set_type']);
    machine.runTask(() => requestIrq(irq, () => IRQ_HANDLED, 0, 'd'));
    taken();
    machine.runTask(() => irqSetIrqType(irq, IRQ_TYPE_EDGE_FALLING));
    expect(taken()).toEqual(['mask', 'set_type', 'unmask']);
  });

  it('that the chip refuses is reported, and nothing has changed', () => {
    const { machine, irq, desc, printed } = fakeLines({
      chip: {
        setType: function refuse_type(line) {
          line.machine.irqs.get(999);
        },
      },
    });
    const refused = (): void => machine.runTask(() => void irqSetIrqType(irq, IRQ_TYPE_EDGE_RISING));
    expect(thrownBy(refused)).toMatchObject({ code: 'EINVAL' });
    expect([desc.type, printed]).toEqual([
      0,
      [`err: genirq: Setting trigger mode 1 for irq ${irq} failed (refuse_type)`],
    ]);
  });

  it('stays as it is on a chip that has no choice', () => {
    const { machine, irq, desc } = fakeLines({ chip: { setType: undefined } });
    machine.runTask(() => irqSetIrqType(irq, IRQ_TYPE_LEVEL_HIGH));
    expect([desc.type, desc.isLevel]).toEqual([0, false]);
  });

  it('of a line that each CPU has for itself is set when that is enabled: EINVAL', () => {
    const { machine, irq } = fakeLines();
    machine.runTask(() => {
      irqSetPercpuDevid(irq);
      expect(thrownBy(() => irqSetIrqType(irq, IRQ_TYPE_EDGE_RISING))).toMatchObject({ code: 'EINVAL' });
      expect(thrownBy(() => irqSetPercpuDevid(irq))).toMatchObject({ code: 'EINVAL' });
    });
  });
});

describe('status flags', () => {
  it('are set and cleared, but for those that are not for drivers', () => {
    const { machine, irq, desc } = fakeLines();
    machine.runTask(() => {
      irqSetStatusFlags(irq, IRQ_LEVEL | IRQ_NOREQUEST | IRQ_NO_DEBUG | IRQ_TYPE_LEVEL_HIGH);
      expect([desc.settings, desc.isLevel]).toEqual([IRQ_LEVEL | IRQ_NOREQUEST | IRQ_TYPE_LEVEL_HIGH, true]);
      expect(desc.type).toBe(IRQ_TYPE_LEVEL_HIGH);
      irqClearStatusFlags(irq, IRQ_LEVEL | IRQ_TYPE_LEVEL_HIGH);
      expect([desc.settings, desc.isLevel, desc.type]).toEqual([IRQ_NOREQUEST, false, IRQ_TYPE_LEVEL_HIGH]);
    });
  });

  it('warn once who takes autoenable from a line in use', () => {
    const { machine, irq, printed } = fakeLines();
    machine.runTask(function* () {
      yield* requestIrq(irq, () => IRQ_HANDLED, 0, 'd');
      irqSetStatusFlags(irq, IRQ_NOAUTOEN);
      irqSetStatusFlags(irq, IRQ_NOAUTOEN);
    });
    expect(printed).toEqual(['warning:  (irq_modify_status)']);
  });

  it('mask a line at once when it is disabled: DISABLE_UNLAZY', () => {
    const { machine, irq, taken, pulse, requestPrimary, desc } = fakeLines();
    requestPrimary();
    taken();
    machine.runTask(() => {
      irqSetStatusFlags(irq, IRQ_DISABLE_UNLAZY);
      disableIrqNosync(irq);
    });
    pulse();
    expect([taken(), desc.pending]).toEqual([['mask', 'blocked'], false]);
    machine.runTask(() => enableIrq(irq));
    expect(taken()).toEqual(['unmask']);
  });

  it('and data of the chip are those of a known interrupt: EINVAL', () => {
    const { machine, irq, desc } = fakeLines();
    machine.runTask(() => {
      irqSetChipData(irq, 'data');
      expect(desc.chipData).toBe('data');
      for (const call of [() => irqSetStatusFlags(99, 0), () => irqSetChipData(99, 0), () => irqSetHandler(99, null)]) {
        expect(thrownBy(call)).toMatchObject({ code: 'EINVAL' });
      }
    });
  });
});

describe('a chip with its own enable and disable', () => {
  it('is told at once, and of startup and shutdown too', () => {
    const log: string[] = [];
    const call = (name: string) => () => void log.push(name);
    const chip = Object.fromEntries(['startup', 'shutdown', 'enable', 'disable'].map((name) => [name, call(name)]));
    const { machine, irq, desc, taken } = fakeLines({ chip });
    machine.runTask(function* () {
      yield* requestIrq(irq, () => IRQ_HANDLED, 0, 'd');
      disableIrqNosync(irq);
      expect([desc.masked, desc.disabled]).toEqual([true, true]);
      enableIrq(irq);
      expect([desc.masked, desc.disabled]).toEqual([false, false]);
    });
    expect([log, taken()]).toEqual([['startup', 'disable', 'enable'], []]);
  });
});
