// Specification of the descriptors that a process is passed at its start: which are its own, and what they are called.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { takeInheritedFds } from './listen-fds.js';

const PID = 4_711;

test('they begin at 3, and have the names that they were kept under', () => {
  const env = { LISTEN_PID: '4711', LISTEN_FDS: '3', LISTEN_FDNAMES: 'a:b.c:a', HOME: '/' };
  expect(takeInheritedFds(env, PID)).toEqual([
    { fd: 3, name: 'a' },
    { fd: 4, name: 'b.c' },
    { fd: 5, name: 'a' },
  ]);
  expect(env).toEqual({ HOME: '/' });
  expect(takeInheritedFds(env, PID)).toEqual([]);
});

test('names may be missing, as from a manager that passes none', () => {
  expect(takeInheritedFds({ LISTEN_PID: '4711', LISTEN_FDS: '1' }, PID)).toEqual([{ fd: 3, name: 'unknown' }]);
  const env = { LISTEN_PID: '4711', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a' };
  expect(takeInheritedFds(env, PID).map(({ name }) => name)).toEqual(['a', 'unknown']);
});

test.each([
  [{}],
  [{ LISTEN_FDS: '1' }],
  [{ LISTEN_PID: '4712', LISTEN_FDS: '1' }],
  [{ LISTEN_PID: '04711', LISTEN_FDS: '1' }],
  [{ LISTEN_PID: '4711' }],
  [{ LISTEN_PID: '4711', LISTEN_FDS: '0' }],
  [{ LISTEN_PID: '4711', LISTEN_FDS: '-1' }],
  [{ LISTEN_PID: '4711', LISTEN_FDS: '9999' }],
])('with %j there are none', (env) => {
  expect(takeInheritedFds({ ...env }, PID)).toEqual([]);
});

test('whatever the environment has, nothing of it is left, and no descriptor below 3 is given', () => {
  const text = fc.option(fc.oneof(fc.string(), fc.constantFrom('4711', '1', '7', ':', 'a:b')), { nil: undefined });
  fc.assert(
    fc.property(text, text, text, (owner, count, names) => {
      const env = { LISTEN_PID: owner, LISTEN_FDS: count, LISTEN_FDNAMES: names };
      for (const { fd } of takeInheritedFds(env, PID)) expect(fd).toBeGreaterThanOrEqual(3);
      expect(env).toEqual({});
    }),
  );
});
