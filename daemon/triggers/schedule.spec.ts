// Schedules: each time once, whatever happens to the clock, and what was missed is told.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cronFault, cronTimes } from './cron.js';
import { Schedule } from './schedule.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const MIDNIGHT = Date.UTC(2026, 0, 1);

/** A machine whose clock can be set, and which can sleep. */
function rig(expression: string, { catchUp = false, timezone = 'UTC', start = MIDNIGHT } = {}) {
  let wallMs = start;
  let timer: { atMs: number; callback: () => void } | undefined;
  let awakeMs = 0;
  const runs: string[] = [];
  const warnings: string[] = [];
  const schedule = new Schedule({
    next: cronTimes(expression, timezone),
    catchUp,
    wallMs: () => wallMs,
    startTimer: (callback, ms) => {
      timer = { atMs: awakeMs + ms, callback };
      return () => {
        timer = undefined;
      };
    },
    run: () => runs.push(new Date(wallMs).toISOString().slice(5, 19)),
    warn: (text) => warnings.push(text),
  });
  const pass = (ms: number): void => {
    const end = awakeMs + ms;
    while (timer !== undefined && timer.atMs <= end) {
      const { atMs, callback } = timer;
      timer = undefined;
      wallMs += atMs - awakeMs;
      awakeMs = atMs;
      callback();
    }
    wallMs += end - awakeMs;
    awakeMs = end;
  };
  const step = (ms: number): void => {
    wallMs += ms;
  };
  return { schedule, runs, warnings, pass, step };
}

describe('a schedule', () => {
  it('runs at its times', () => {
    const { runs, pass, warnings } = rig('0 7 * * *');
    pass(50 * HOUR);
    expect(runs).toEqual(['01-01T07:00:00', '01-02T07:00:00']);
    expect(warnings).toEqual([]);
  });

  it('runs by the second where its expression has six fields', () => {
    const { runs, pass } = rig('*/20 * * * * *');
    pass(MINUTE);
    expect(runs).toEqual(['01-01T00:00:20', '01-01T00:00:40', '01-01T00:01:00']);
  });

  it('keeps the time of its zone over a change to summer time', () => {
    const { runs, pass } = rig('30 8 * * *', { timezone: 'Europe/Berlin', start: Date.UTC(2026, 2, 28) });
    pass(48 * HOUR);
    expect(runs).toEqual(['03-28T07:30:00', '03-29T06:30:00']);
  });

  it('runs no time twice when the clock is set back a little, and does when it is set back by hours', () => {
    const little = rig('0 * * * *');
    little.pass(HOUR + MINUTE);
    little.step(-10 * MINUTE);
    little.pass(HOUR);
    expect(little.runs).toEqual(['01-01T01:00:00']);
    const much = rig('0 * * * *');
    much.pass(5 * HOUR + MINUTE);
    much.step(-4 * HOUR);
    much.pass(HOUR);
    expect(much.runs.slice(4)).toEqual(['01-01T05:00:00', '01-01T02:00:00']);
    expect(much.warnings).toEqual(['the clock was set back by 14400s']);
  });

  it('tells what was missed in a suspend, and goes on', () => {
    const { runs, warnings, pass, step } = rig('0 * * * *');
    pass(30 * MINUTE);
    step(3 * HOUR);
    pass(HOUR);
    expect(runs).toEqual(['01-01T04:00:00']);
    expect(warnings).toEqual([
      '3 runs were missed while the machine was suspended, its clock was set forward, or the daemon was held up; it runs at its next time',
    ]);
  });

  it('makes up for what was missed, once, when it is told to', () => {
    const { runs, pass, step } = rig('0 * * * *', { catchUp: true });
    pass(30 * MINUTE);
    step(3 * HOUR);
    pass(HOUR);
    expect(runs).toEqual(['01-01T03:30:30', '01-01T04:00:00']);
  });

  it('does not take a little lateness for a miss', () => {
    const { runs, warnings, pass, step } = rig('0 * * * *');
    pass(HOUR - 10_000);
    step(20_000);
    pass(30_000);
    expect(runs).toEqual(['01-01T01:00:20']);
    expect(warnings).toEqual([]);
  });

  it('comes no more once it is stopped', () => {
    const { schedule, runs, pass } = rig('* * * * *');
    pass(MINUTE);
    schedule.stop();
    pass(HOUR);
    expect(runs).toHaveLength(1);
    expect(schedule.nextMs).toBeUndefined();
  });

  it('runs no more often than its times, however the clock is set forward', () => {
    const steps = fc.array(fc.record({ passMs: fc.nat(HOUR), stepMs: fc.nat(5 * HOUR) }), { maxLength: 12 });
    fc.assert(
      fc.property(steps, fc.boolean(), (list, catchUp) => {
        const { runs, pass, step } = rig('*/10 * * * *', { catchUp });
        let totalMs = 0;
        for (const { passMs, stepMs } of list) {
          pass(passMs);
          step(stepMs);
          totalMs += passMs + stepMs;
        }
        expect(runs.length).toBeLessThanOrEqual(Math.floor(totalMs / (10 * MINUTE)));
      }),
    );
  });
});

describe('cron expressions', () => {
  it.each([
    ['0 7 * * 1-5', undefined],
    ['61 * * * *', expect.stringContaining('minute')],
    ['0 0 31 2 *', 'it never comes'],
    ['a b c d e', expect.any(String)],
  ])('%s', (expression, fault) => {
    expect(cronFault(expression)).toEqual(fault);
  });

  it('has a time zone that there is', () => {
    expect(cronFault('* * * * *', 'Europe/Berlin')).toBeUndefined();
    expect(cronFault('* * * * *', 'Europe/Bonn')).toEqual(expect.any(String));
  });
});
