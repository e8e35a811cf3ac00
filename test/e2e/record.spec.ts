// A day in a life: a daemon runs, its buttons are pressed, `gpio-irqd record` writes it down, `gpio-irqd replay` plays it again.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EXAMPLE, useLab } from './running-daemon.js';

const lab = useLab();

it('records the presses of a daemon that runs, and replays them', async () => {
  const daemon = await lab.start(EXAMPLE);
  const file = join(lab.directory, 'presses.jsonl');
  const recording = lab.run('main', ['record', '--attach', '--socket', daemon.socket, '--out', file]);
  const watching = async (): Promise<number> => {
    const { control } = (await daemon.client.call('GET', '/v1/status')) as { control: { watching: number } };
    return control.watching;
  };
  while ((await watching()) === 0) expect(recording.child.exitCode, recording.err).toBeNull();
  await daemon.press('button1', { bounce: true, forNs: 20e6 });
  // It has not read of these when it is told to end, but they had happened by then.
  recording.child.kill('SIGSTOP');
  for (const button of ['button2', 'button1']) await daemon.press(button, { bounce: true, forNs: 20e6 });
  recording.child.kill('SIGINT');
  const { code, out, err } = await recording.ends('SIGCONT');
  expect({ code, err }).toEqual({ code: 0, err: `recording to ${file}; Ctrl-C ends it\n` });
  expect(out).toMatch(/presses\.jsonl: 8 steps in .*, 0 edges lost\n$/);
  const [header = ''] = readFileSync(file, 'utf8').split('\n');
  expect(JSON.parse(header)).toEqual({
    scenario: 1,
    name: 'presses',
    recorded: { driver: 'sim', chip: 'gpiochip0', label: 'pinctrl-bcm2835', attached: true },
  });
  const trace = join(lab.directory, 'trace.jsonl');
  const replay = lab.run('main', ['replay', file, '--config', EXAMPLE, '--trace', trace, '--detail', 'events']);
  expect(await replay.finished).toMatchObject({ code: 0, err: '' });
  const events = readFileSync(trace, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event?: string; line?: string; value?: number });
  expect(events.filter(({ event }) => event === 'edge').map(({ line }) => line)).toEqual([
    'button1',
    'button2',
    'button1',
  ]);
  expect(events.filter(({ event }) => event === 'value').map(({ value }) => value)).toEqual([1, 0, 1]);
});

it('says what is to be done where there is no chip to record from, and where no daemon runs', async () => {
  const out = join(lab.directory, 'none.jsonl');
  const sim = lab.write('sim.yaml', 'driver: sim\nlines: { b: { gpio: 17 } }\n');
  const chip = await lab.run('main', ['record', '--config', sim, '--out', out]).finished;
  expect(chip).toMatchObject({ code: 1, out: '' });
  expect(chip.err).toContain('there is no GPIO chip to record from (ENODEV)\n  with --attach, the daemon that runs');
  const socket = join(lab.directory, 'none.sock');
  const daemon = await lab.run('main', ['record', '--attach', '--socket', socket, '--out', out]).finished;
  expect(daemon).toMatchObject({ code: 1, out: '' });
  expect(daemon.err).toContain('Start gpio-irqd');
});
