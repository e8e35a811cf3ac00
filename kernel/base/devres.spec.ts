import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import type { Process } from '../sched/coroutine.js';
import { msleep } from '../time/delay.js';
import { Device } from './device.js';
import {
  devmAddAction,
  devmReleaseAction,
  devmRemoveAction,
  devresCloseGroup,
  devresOpenGroup,
  devresReleaseAll,
  devresReleaseGroup,
  devresRemoveGroup,
} from './devres.js';

function managed() {
  const printed: string[] = [];
  const oopses: string[] = [];
  const log: string[] = [];
  const machine = new Machine({
    printk: (_level, text) => printed.push(text),
    onOops: (where) => oopses.push(where),
  });
  const dev = new Device('dev', 'platform', machine);
  const action = (name: string): void => void log.push(name);
  const add = (...names: string[]): void => {
    for (const name of names) devmAddAction(dev, action, name);
  };
  const run = (body: () => Process<void>): void => machine.runTask(body);
  const taken = (): string[] => log.splice(0);
  const warned = (where: string): boolean => printed.some((text) => text.includes('WARNING') && text.includes(where));
  return { dev, action, add, run, taken, warned, oopses, machine };
}

describe('managed resources', () => {
  it('are released newest first, once', () => {
    const { dev, add, run, taken } = managed();
    add('first', 'second', 'third');
    run(() => devresReleaseAll(dev));
    expect(taken()).toEqual(['third', 'second', 'first']);
    run(() => devresReleaseAll(dev));
    expect(taken()).toEqual([]);
  });

  it('may sleep while they are released, and one that throws does not keep the others', () => {
    const { dev, add, run, taken, oopses, machine } = managed();
    add('first');
    devmAddAction(dev, () => msleep(4), undefined);
    devmAddAction(
      dev,
      () => {
        throw new Error('bug');
      },
      undefined,
    );
    run(() => devresReleaseAll(dev));
    expect(taken()).toEqual(['first']);
    expect(oopses).toEqual(['release of a resource of dev']);
    expect(machine.clock.now()).toBeGreaterThanOrEqual(4_000_000);
  });

  it('are taken out one by one: released now, or forgotten', () => {
    const { dev, action, add, run, taken, warned } = managed();
    add('kept', 'released', 'forgotten');
    run(() => devmReleaseAction(dev, action, 'released'));
    expect(taken()).toEqual(['released']);
    devmRemoveAction(dev, action, 'forgotten');
    run(() => devresReleaseAll(dev));
    expect(taken()).toEqual(['kept']);
    expect(warned('devm_')).toBe(false);
  });

  it('that are there twice go from the end', () => {
    const { dev, action, add, run, taken } = managed();
    add('twice', 'between', 'twice');
    devmRemoveAction(dev, action, 'twice');
    run(() => devresReleaseAll(dev));
    expect(taken()).toEqual(['between', 'twice']);
  });

  it('are warned of when they are not there', () => {
    const { dev, action, run, warned } = managed();
    devmRemoveAction(dev, action, 'unknown');
    expect(warned('devm_remove_action')).toBe(true);
    run(() => devmReleaseAction(dev, action, 'unknown'));
    expect(warned('devm_release_action')).toBe(true);
  });
});

describe('a group', () => {
  it('is released on its own, newest first, with what it has in it', () => {
    const { dev, add, run, taken } = managed();
    add('before');
    const group = devresOpenGroup(dev);
    add('a');
    devresOpenGroup(dev, 'inner');
    add('b');
    devresCloseGroup(dev);
    add('c');
    devresCloseGroup(dev);
    add('after');
    run(() => devresReleaseGroup(dev, group));
    expect(taken()).toEqual(['c', 'b', 'a']);
    run(() => devresReleaseAll(dev));
    expect(taken()).toEqual(['after', 'before']);
  });

  it('that is open reaches to the end; without an id the newest open one is meant', () => {
    const { dev, add, run, taken } = managed();
    add('before');
    devresOpenGroup(dev, 'outer');
    add('a');
    devresOpenGroup(dev, 'inner');
    add('b');
    devresCloseGroup(dev, 'inner');
    run(() => devresReleaseGroup(dev));
    expect(taken()).toEqual(['b', 'a']);
  });

  it('that is removed leaves its resources', () => {
    const { dev, add, run, taken, warned } = managed();
    devresOpenGroup(dev, 'group');
    add('a');
    devresCloseGroup(dev, 'group');
    devresRemoveGroup(dev, 'group');
    run(() => devresReleaseGroup(dev, 'group'));
    expect(taken()).toEqual([]);
    expect(warned('devres_release_group')).toBe(true);
    run(() => devresReleaseAll(dev));
    expect(taken()).toEqual(['a']);
  });

  it('that begins in another and ends behind it is not ended with it', () => {
    const { dev, add, run, taken, warned } = managed();
    devresOpenGroup(dev, 'first');
    add('a');
    devresOpenGroup(dev, 'second');
    add('b');
    devresCloseGroup(dev, 'first');
    add('c');
    devresCloseGroup(dev, 'second');
    run(() => devresReleaseGroup(dev, 'first'));
    expect(taken()).toEqual(['b', 'a']);
    run(() => devresReleaseGroup(dev, 'second'));
    expect(taken()).toEqual(['c']);
    expect(warned('devres')).toBe(false);
  });

  it('that is open in one that is released is forgotten with it', () => {
    const { dev, add, run, taken, warned } = managed();
    devresOpenGroup(dev, 'outer');
    devresOpenGroup(dev, 'inner');
    add('a');
    devresCloseGroup(dev, 'outer');
    add('b');
    run(() => devresReleaseGroup(dev, 'outer'));
    expect([taken(), dev.devres.length, warned('devres')]).toEqual([['a'], 1, false]);
    devresCloseGroup(dev, 'inner');
    expect(warned('devres_close_group')).toBe(true);
  });

  it('is not missed when nothing is managed any more', () => {
    const { dev, run, warned } = managed();
    run(() => devresReleaseGroup(dev, 'any'));
    expect(warned('devres_release_group')).toBe(false);
  });

  it.each([
    ['devres_close_group', (dev: Device) => devresCloseGroup(dev)],
    ['devres_remove_group', (dev: Device) => devresRemoveGroup(dev, 'unknown')],
  ])('that is not there is warned of (%s)', (where, call) => {
    const { dev, warned } = managed();
    call(dev);
    expect(warned(where)).toBe(true);
  });
});

describe('whatever is done', () => {
  const step = fc.oneof(
    fc.constant('add' as const),
    fc.constant('open' as const),
    fc.constant('close' as const),
    fc.constant('releaseGroup' as const),
    fc.record({ remove: fc.nat(9) }),
    fc.record({ release: fc.nat(9) }),
  );

  it('each resource is released once or forgotten, and none is left behind', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { dev, action, add, run, taken } = managed();
        const forgotten: string[] = [];
        let added = 0;
        for (const doing of steps) {
          if (doing === 'add') add(String(added++));
          else if (doing === 'open') devresOpenGroup(dev);
          else if (doing === 'close') devresCloseGroup(dev);
          else if (doing === 'releaseGroup') run(() => devresReleaseGroup(dev));
          else if ('release' in doing) run(() => devmReleaseAction(dev, action, String(doing.release)));
          else {
            const before = dev.devres.length;
            devmRemoveAction(dev, action, String(doing.remove));
            if (dev.devres.length < before) forgotten.push(String(doing.remove));
          }
        }
        run(() => devresReleaseAll(dev));
        expect(dev.devres).toEqual([]);
        const all = Array.from({ length: added }, (_, n) => String(n)).sort();
        expect([...taken(), ...forgotten].sort()).toEqual(all);
      }),
      { numRuns: 200 },
    );
  });
});
