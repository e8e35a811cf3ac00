// The codes of the API are stable, and all of them are in the documentation.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { KernelError } from '../../kernel/errno.js';
import { CONTROL_ERRORS, ControlError, explainThrown } from './errors.js';

it('every code is in docs/control.md with its status', () => {
  const rows = readFileSync('docs/control.md', 'utf8').split('\n');
  const missing = Object.entries(CONTROL_ERRORS).filter(
    ([code, [status]]) => !rows.some((row) => row.includes(`\`${code}\``) && row.includes(`| ${status} |`)),
  );
  expect(missing).toEqual([]);
});

it.each([
  [
    new KernelError('ENOENT', 'no line x', { hint: 'look' }),
    404,
    { code: 'ENOENT', message: 'no line x', hint: 'look' },
  ],
  [new KernelError('ENOMEM', 'no memory'), 500, { code: 'ENOMEM', message: 'no memory' }],
  [new KernelError('EIO', 'read only', { subject: '/proc/interrupts' }), 405, { code: 'EIO', message: 'read only' }],
  [new ControlError('NOT_SUPPORTED', 'no'), 501, { code: 'NOT_SUPPORTED', message: 'no', hint: expect.any(String) }],
  [new Error('secret'), 500, { code: 'INTERNAL', message: 'the daemon failed to answer', hint: expect.any(String) }],
  ['secret', 500, { code: 'INTERNAL', message: 'the daemon failed to answer', hint: expect.any(String) }],
  [
    Object.assign(new Error('bad'), { statusCode: 400 }),
    400,
    { code: 'BAD_REQUEST', message: 'bad', hint: expect.any(String) },
  ],
])('%s is told as %i', (thrown, status, body) => {
  expect(explainThrown(thrown)).toEqual({ status, body });
});
