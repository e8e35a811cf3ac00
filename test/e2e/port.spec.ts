// The API of the shipped daemon over TCP, and its events over a restart; on the simulated Pi.
import { chmodSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { freePort } from '../../daemon/free-port.spec-helper.js';
import { useLab } from './running-daemon.js';

const lab = useLab();
const TIMEOUT = 300_000;
const TOKEN = 'iXbq3cM0a2V5d9kLrTn8Zw==';
const LINES = `lines:
  button1: { gpio: 17, edge: both, bias: pull-up, active: low }
  led1: { gpio: 4, direction: out }
`;

const http = (port: number): string => `${LINES}http: { listen: "127.0.0.1:${port}", token_file: token }\n`;

async function ask(port: number, path: string, token?: string): Promise<{ status: number; text: string }> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  return { status: response.status, text: await response.text() };
}

test('the port that is configured answers those with the token, and moves at a reload', {
  timeout: TIMEOUT,
}, async () => {
  const [first, second] = [await freePort(), await freePort()];
  const token = lab.write('token', TOKEN);
  chmodSync(token, 0o600);
  const config = lab.write('config.yaml', http(first));
  const daemon = await lab.start(config);
  expect((await ask(first, '/v1/lines')).status).toBe(401);
  expect(await ask(first, '/v1/lines/led1', TOKEN)).toMatchObject({ status: 200 });
  expect((await ask(first, '/metrics', TOKEN)).text).toContain('gpio_irqd_');
  writeFileSync(config, http(second));
  expect((await daemon.ctl('reload')).code).toBe(0);
  expect((await ask(second, '/v1/lines', TOKEN)).status).toBe(200);
  await expect(ask(first, '/v1/lines', TOKEN)).rejects.toThrow();
  expect((await daemon.ends('SIGTERM')).out).not.toContain(TOKEN);
});

test('a token that others may read keeps the daemon from starting', { timeout: TIMEOUT }, async () => {
  chmodSync(lab.write('token', TOKEN), 0o644);
  const config = lab.write('config.yaml', http(await freePort()));
  const { code, out, err } = await lab.run('main', ['--config', config, '--driver', 'sim']).finished;
  expect(code).toBe(2);
  expect(out + err).toMatch(/token is a secret that everyone may read/);
  expect(out + err).not.toContain(TOKEN);
});

test('gpio-irqctl events goes on over a restart, and says where events may be missing', {
  timeout: TIMEOUT,
}, async () => {
  const config = lab.write('config.yaml', LINES);
  const before = await lab.start(config);
  const events = lab.run('ctl', ['--socket', before.socket, 'events', '--type', 'value']);
  await expect
    .poll(() => before.client.call('GET', '/v1/status'), { timeout: TIMEOUT })
    .toMatchObject({ control: { watching: 1 } });
  await before.ctl('set', 'led1', '1');
  await events.says('led1 = 1');
  await before.ends('SIGTERM');
  const after = await lab.start(config);
  await events.says('events may be missing here');
  await after.ctl('set', 'led1', '1');
  await events.says('led1 = 1 (on)\n');
  expect((await events.ends('SIGINT')).code).toBe(0);
});
