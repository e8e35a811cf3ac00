// Hangups before, while and after somebody takes them.
import { expect, it } from 'vitest';
import { Hangups } from './hangups.js';

/** Where hangups come from, and what was done about them. */
function rig() {
  let hear: ((gone: boolean) => void) | undefined;
  const done: string[] = [];
  const hangups = new Hangups({
    onHangup: (listener) => {
      hear = listener;
      return () => {
        hear = undefined;
      };
    },
  });
  const takers = { reload: () => void done.push('reload'), end: () => void done.push('end') };
  return { hangups, takers, done, come: (gone = false) => hear?.(gone) };
}

it('does once what was asked for, however often, before there was anybody to do it', () => {
  const { hangups, takers, done, come } = rig();
  come();
  come();
  expect(done).toEqual([]);
  hangups.take(takers);
  expect(done).toEqual(['reload']);
  come();
  expect(done).toEqual(['reload', 'reload']);
});

it('ends without a reload when the terminal went meanwhile', () => {
  const { hangups, takers, done, come } = rig();
  come();
  come(true);
  hangups.take(takers);
  expect(done).toEqual(['end']);
});

it('hears no more once it is closed, and needs nothing to hear by', () => {
  const { hangups, takers, done, come } = rig();
  hangups.take(takers);
  hangups.close();
  hangups.close();
  come();
  expect(done).toEqual([]);
  new Hangups({}).close();
});
