import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KernelError } from '../../kernel/errno.js';
import { checkMessage, filterFault, matches, topicFault } from './message.js';

test.each([
  ['home/hall', undefined],
  ['', 'it is empty'],
  ['home/+/x', 'it has a wildcard (+ or #)'],
  ['home/\n', 'it has a control character'],
  ['home/\ud800', 'it is no well-formed Unicode text'],
  ['ü'.repeat(513), 'it is longer than 1024 bytes'],
])('topic %j: %s', (topic, fault) => {
  expect(topicFault(topic)).toBe(fault);
});

test.each([
  ['#', undefined],
  ['+/+', undefined],
  ['a/+/b/#', undefined],
  ['', 'it is empty'],
  ['a+', 'a wildcard (+ or #) stands for a whole level: a/+/b, a/#'],
  ['#/a', '# stands for all that follows, so it comes last'],
])('filter %j: %s', (filter, fault) => {
  expect(filterFault(filter)).toBe(fault);
});

test.each([
  ['a/b', 'a/b', true],
  ['a/b', 'a/b/c', false],
  ['a/+', 'a/b', true],
  ['a/+', 'a', false],
  ['a/+', 'a/', true],
  ['a/#', 'a', true],
  ['a/#', 'a/b/c', true],
  ['+/b', 'a/c', false],
  ['#', '$SYS/uptime', false],
  ['+/uptime', '$SYS/uptime', false],
  ['$SYS/#', '$SYS/uptime', true],
])('filter %s and topic %s: %s', (filter, topic, fits) => {
  expect(matches(filter, topic)).toBe(fits);
});

test('a topic is meant by itself, and with any level as +', () => {
  const level = fc.stringMatching(/^[a-z]{0,3}$/);
  fc.assert(
    fc.property(fc.array(level, { minLength: 1, maxLength: 5 }), fc.nat(), (levels, at) => {
      const topic = levels.join('/');
      fc.pre(topic !== '');
      const i = at % levels.length;
      expect(matches(topic, topic)).toBe(true);
      expect(matches(levels.with(i, '+').join('/'), topic)).toBe(true);
      expect(matches([...levels.slice(0, i), '#'].join('/'), topic)).toBe(true);
      expect(matches(`${topic}/x`, topic)).toBe(false);
    }),
  );
});

test('a message that cannot be sent is refused with its reason', () => {
  const message = { topic: 'a', payload: '', qos: 0, retain: false } as const;
  expect(() => checkMessage(message)).not.toThrow();
  expect(() => checkMessage({ ...message, topic: 'a/#' })).toThrow(KernelError);
  expect(() => checkMessage({ ...message, payload: 'x'.repeat(65_537) })).toThrow(/65537 bytes for a is too long/);
});
