// Reloads one after the other: what the file says, who is told, and what a mistake leaves as it was.
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Config } from './config/config.js';
import { type ConfigResult, parseConfig } from './config/load.js';
import type { ReloadReport } from './control/target.js';
import { type Follower, Reloader, type ReloaderOptions } from './reload.js';
import { refusedReport } from './reload-report.js';

const GOOD = 'lines: { button1: { gpio: 17 } }';
const BAD = 'lines:\n  button1: { gpio: seventeen }\n';
const TOUCHED = { added: ['x'], changed: [], removed: [], kept: 0 };

let text: string;
let log: string[];
/** Of the service, to be let go on. */
let goOn: (() => void)[];
let sections: ReloadReport['sections'];
beforeEach(() => {
  text = GOOD;
  log = [];
  goOn = [];
  sections = {};
});

const load = (): ConfigResult => parseConfig(text, '/etc/gpio-irqd/config.yaml');
const service: ReloaderOptions['service'] = {
  reconfigure: async (config: Config) => {
    log.push(`takes ${config.lines.map(({ name }) => name).join()}`);
    await new Promise<void>((resolve) => goOn.push(resolve));
    log.push('taken');
    return { ...refusedReport([]), ok: true, sections };
  },
  reloadRefused: (errors) => {
    log.push('refused');
    return refusedReport(errors);
  },
};

function reloader(more: Partial<ReloaderOptions> = {}): Reloader {
  const supervisor = {
    begins: async () => log.push('RELOADING'),
    isOver: async () => log.push('READY'),
  };
  return new Reloader({ load, service, log: pino({ level: 'silent' }), followers: [], supervisor, ...more });
}

async function letGoOn(): Promise<void> {
  await expect.poll(() => goOn.length).toBeGreaterThan(0);
  goOn.shift()?.();
}

describe('a reload', () => {
  it('takes the file over, between two words to the service manager', async () => {
    const done = reloader().reload();
    await letGoOn();
    expect((await done).ok).toBe(true);
    expect(log).toEqual(['RELOADING', 'takes button1', 'taken', 'READY']);
  });

  it('leaves all as it is when the file is wrong, and says where', async () => {
    text = BAD;
    const { ok, errors } = await reloader().reload();
    expect([ok, log]).toEqual([false, ['RELOADING', 'refused', 'READY']]);
    expect(errors).toEqual([expect.stringMatching(/^\/etc\/gpio-irqd\/config\.yaml:2:20: lines\.button1\.gpio: /)]);
  });

  it('is refused when somebody objects before anything is touched', async () => {
    const check = () => Promise.reject(new Error('no such password file'));
    expect((await reloader({ check }).reload()).errors).toEqual(['no such password file']);
    expect(log).toEqual(['RELOADING', 'refused', 'READY']);
  });

  it('waits for the one before; those who ask meanwhile share one that sees the file as it is by then', async () => {
    const one = reloader();
    const first = one.reload();
    await expect.poll(() => goOn.length).toBe(1);
    const [second, third] = [one.reload(), one.reload()];
    text = 'lines: { button2: { gpio: 18 } }';
    expect(second).toBe(third);
    await letGoOn();
    await first;
    await letGoOn();
    await second;
    expect(log.filter((line) => line.startsWith('takes'))).toEqual(['takes button1', 'takes button2']);
    const last = one.reload();
    expect(last).not.toBe(second);
    await letGoOn();
    await last;
    expect(log.filter((line) => line === 'READY')).toHaveLength(3);
  });

  it('is one at a time also for who asks as soon as the one before is over', async () => {
    const one = reloader();
    let third: Promise<ReloadReport> | undefined;
    const first = one.reload().then(() => {
      third = one.reload();
    });
    await expect.poll(() => goOn.length).toBe(1);
    const second = one.reload();
    await letGoOn();
    await first;
    expect(third).toBe(second);
    await letGoOn();
    await second;
    expect(log.filter((line) => line === 'taken')).toHaveLength(2);
  });

  it('begins no more, and tells nobody who stops as well, once the daemon stops', async () => {
    const one = reloader({ followers: [{ sections: ['lines'], follow: () => void log.push('followed') }] });
    sections = { lines: TOUCHED };
    const first = one.reload();
    await expect.poll(() => goOn.length).toBe(1);
    const second = one.reload();
    one.end();
    await letGoOn();
    await first;
    expect((await second).errors).toEqual(['the daemon is stopping']);
    expect(log).toEqual(['RELOADING', 'takes button1', 'taken']);
  });

  it('says what of a section waits for the next start, when who goes by it says so', async () => {
    sections = { log: TOUCHED };
    const later = [{ key: 'log.format', why: 'one form' }];
    const follower = { sections: ['log'], follow: () => undefined, later: () => later };
    const done = reloader({ followers: [follower] }).reload();
    await letGoOn();
    expect(await done).toMatchObject({ ok: true, problems: [], restart: later });
  });

  it('tells who goes by a section that has changed, and says of others that they wait for the next start', async () => {
    sections = { lines: TOUCHED, mqtt: TOUCHED, metrics: TOUCHED, http: { ...TOUCHED, added: [], kept: 1 } };
    const told: string[] = [];
    const follower = (...names: string[]): Follower => ({
      sections: names,
      follow: () => {
        told.push(names.join());
        if (names[0] === 'mqtt') throw new Error('the broker is unknown');
      },
    });
    const done = reloader({ followers: [follower('mqtt', 'lines'), follower('http'), follower('lines')] }).reload();
    await letGoOn();
    const { ok, problems, restart } = await done;
    expect(told).toEqual(['mqtt,lines', 'lines']);
    expect([ok, problems, restart.map(({ key }) => key)]).toEqual([true, ['mqtt: the broker is unknown'], ['metrics']]);
  });
});
