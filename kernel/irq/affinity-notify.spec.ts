import { describe, expect, it } from 'vitest';
import { msleep } from '../time/delay.js';
import { irqSetAffinity } from './affinity.js';
import { irqSetAffinityNotifier } from './affinity-notify.js';
import { fakeLines, handledAfter, thrownBy } from './fake-line.spec-helper.js';
import { freeIrq } from './manage.js';
import { requestIrq } from './request.js';

function line() {
  const lines = fakeLines({ cpus: 4, chip: { setAffinity: (_desc, mask) => mask } });
  const { machine, irq } = lines;
  const told: string[] = [];
  const notify = (name: string) => ({
    notify: (which: number, mask: number) => void told.push(`${name} irq ${which === irq} ${mask.toString(2)}`),
    release: () => void told.push(`${name} released`),
  });
  const send = (...masks: number[]): void => {
    machine.runTask(() => {
      for (const mask of masks) irqSetAffinity(irq, mask);
    });
  };
  return { ...lines, machine, irq, told, notify, send };
}

describe('who wants to know of affinity', () => {
  it('is told afterwards, once for several changes in a row, what it is then', () => {
    const { machine, irq, told, notify, send } = line();
    machine.runTask(() => irqSetAffinityNotifier(irq, notify('a')));
    send(0b0010, 0b0100);
    machine.advance(1_000_000);
    expect(told).toEqual(['a irq true 100']);
    send(0b1000);
    machine.advance(1_000_000);
    expect(told).toEqual(['a irq true 100', 'a irq true 1000']);
  });

  it('is released when another one comes, and when nobody is to be told', () => {
    const { machine, irq, told, notify, send } = line();
    machine.runTask(() => irqSetAffinityNotifier(irq, notify('a')));
    machine.runTask(() => irqSetAffinityNotifier(irq, notify('b')));
    expect(told.splice(0)).toEqual(['a released']);
    machine.runTask(function* () {
      irqSetAffinity(irq, 0b0010);
      yield* irqSetAffinityNotifier(irq, null);
    });
    send(0b0100);
    machine.advance(1_000_000);
    expect(told).toEqual(['b released']);
  });

  it('is waited for while it is being told', () => {
    const { machine, irq, told } = line();
    const notify = function* () {
      yield* msleep(10);
      told.push('told');
    };
    machine.runTask(function* () {
      yield* irqSetAffinityNotifier(irq, { notify, release: () => void told.push('released') });
      irqSetAffinity(irq, 0b0010);
      yield* msleep(1);
      yield* irqSetAffinityNotifier(irq, null);
      told.push('back');
    });
    expect(told).toEqual(['told', 'released', 'back']);
  });

  it('is warned of when the line is freed under it', () => {
    const { machine, irq, printed, notify, desc } = line();
    machine.runTask(function* () {
      yield* requestIrq(
        irq,
        handledAfter(() => {}),
        0,
        'dev',
      );
      yield* irqSetAffinityNotifier(irq, notify('a'));
      yield* freeIrq(irq);
    });
    expect(printed).toEqual(['warning:  (free_irq)']);
    expect(desc.affinityNotify).toBeUndefined();
  });

  it('cannot be set for an unknown line', () => {
    const { machine, notify } = line();
    expect(thrownBy(() => machine.runTask(() => irqSetAffinityNotifier(99, notify('a'))))).toMatchObject({
      code: 'EINVAL',
    });
  });
});
