// Logs as journald and as people get them.

import { describe, expect, it } from 'vitest';
import { createLogger } from './log.js';
import { LOG_LEVELS } from './log-levels.js';

function collect(terminal: boolean, level?: (typeof LOG_LEVELS)[number]) {
  const written: string[] = [];
  const output = { write: (text: string) => written.push(text) };
  return { log: createLogger({ output, terminal, ...(level === undefined ? {} : { level }) }), written };
}

describe('the log', () => {
  it('for journald is one JSON object a line behind its priority', () => {
    const { log, written } = collect(false, 'trace');
    for (const level of LOG_LEVELS) if (level !== 'silent') log[level]({ line: 'button1' }, 'two\nlines');
    expect(written.map((text) => text.slice(0, 3))).toEqual(['<2>', '<3>', '<4>', '<6>', '<7>', '<7>']);
    for (const text of written) {
      expect(text.indexOf('\n')).toBe(text.length - 1);
      expect(JSON.parse(text.slice(3))).toMatchObject({ line: 'button1', msg: 'two\nlines', time: expect.any(String) });
    }
  });

  it('for others is the same object alone', () => {
    const written: string[] = [];
    createLogger({ output: { write: (text) => written.push(text) }, terminal: false, bare: true }).warn('x');
    expect(written.map((line) => JSON.parse(line))).toEqual([expect.objectContaining({ level: 'warn', msg: 'x' })]);
  });

  it('keeps the priority of lines from child loggers', () => {
    const { log, written } = collect(false);
    log.child({ part: 'x' }).error('bad');
    log.info('good');
    expect(written.map((text) => text.slice(0, 3))).toEqual(['<3>', '<6>']);
  });

  it('on a terminal is for people', () => {
    const { log, written } = collect(true);
    log.warn({ line: 'button1' }, 'lost edges');
    expect(written.join('')).toMatch(/WARN.*lost edges[\s\S]*line.*button1/);
    expect(written.join('')).not.toMatch(/^<\d>/);
  });

  it('leaves out what is less urgent than its level', () => {
    const { log, written } = collect(false, 'error');
    log.warn('no');
    log.error('yes');
    expect(written).toHaveLength(1);
    const silent = collect(true, 'silent');
    silent.log.fatal('no');
    expect(silent.written).toEqual([]);
  });

  it('does not show a secret that came along with something else', () => {
    const { log, written } = collect(false);
    const secret = 'hunter2';
    const cause = Object.assign(new Error('refused'), { options: { username: 'me', password: secret } });
    log.warn({ err: cause, request: { headers: { authorization: `Bearer ${secret}` } } }, 'no broker');
    log.warn({ err: new AggregateError([cause], 'none of them'), tries: [{ env: { TOKEN: secret } }] }, 'gave up');
    log.child({ part: 'mqtt' }).info({ token: secret, tls: { key: secret } }, 'trying again');
    expect(written.join('')).not.toContain(secret);
    expect(JSON.parse(written[0]?.slice(3) ?? '')).toMatchObject({
      request: { headers: '[not shown]' },
      msg: 'no broker',
    });
  });
});
