// Which names are said to be Linux's.
import { describe, expect, it } from 'vitest';
import type { Declaration } from './declarations.js';
import { linuxNames, snakeCase } from './names.js';

const linux = new Set([
  'request_irq',
  'timer_delete',
  'del_timer',
  'irq_chip',
  'task_struct',
  'atomic_t',
  'clock',
  'DECLARE_BITMAP',
]);
const named = (name: string, doc = '', kind: Declaration['kind'] = 'function') =>
  linuxNames({ kind, name, signatures: [], doc: undefined, members: [] }, doc, (candidate) => linux.has(candidate));

describe('linuxNames', () => {
  it.each([
    ['requestIrq', 'request_irq'],
    ['spinLockIrqsave', 'spin_lock_irqsave'],
    ['AtomicT', 'atomic_t'],
    ['__ffs', '__ffs'],
  ])('writes %s as %s', (name, snake) => {
    expect(snakeCase(name)).toBe(snake);
  });

  it('derives names of functions, macros and structures that Linux has, and invents none', () => {
    expect(named('requestIrq')).toEqual(['request_irq']);
    expect(named('declareBitmap')).toEqual(['DECLARE_BITMAP']);
    expect(named('IrqChip', '', 'interface')).toEqual(['struct irq_chip']);
    expect(named('AtomicT', '', 'class')).toEqual(['atomic_t']);
    expect(named('preemptPoint')).toEqual([]);
    expect(named('Clock', '', 'interface')).toEqual([]);
  });

  it('takes names that the docstring gives in parentheses, if Linux has them', () => {
    expect(named('timerDelete', 'Disarms (timer_delete, formerly del_timer).')).toEqual(['timer_delete', 'del_timer']);
    expect(named('Thing', 'A thread (struct task_struct with more).', 'class')).toEqual([]);
    expect(named('Thing', 'A thread (struct task_struct).', 'class')).toEqual(['struct task_struct']);
    expect(named('other', 'As it says (no_such_function, in kernel/irq/manage.c).')).toEqual([]);
    expect(named('other', 'Text.\n\n```ts\nf(request_irq)\n```')).toEqual([]);
  });

  it('leaves constants alone, which have the same name', () => {
    expect(named('TIMER_DELETE', 'See it (timer_delete).', 'const')).toEqual([]);
  });
});
