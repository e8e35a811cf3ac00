// The network drop-in in use: a Mosquitto behind TLS and a password, a request, a program, and the API on loopback, all from inside the unit.

import { execFileSync } from 'node:child_process';
import { chownSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import { dirname, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DaemonStatus } from '../../../daemon/control/target.js';
import { freePort } from '../../../daemon/free-port.spec-helper.js';
import { Mosquitto, Observer } from '../../mqtt/mosquitto.js';
import type { GpioSim } from '../gpio-sim.js';
import { BUTTON1, CONFIG, gpioIrqctl, installScript, LED1, plugHeader, SERVICE, uninstall } from './installed.js';
import { ask, configure, journal, stopService } from './service.js';
import { systemctl, unitState } from './systemctl.js';

const PASSWORD = 'pass-word of the broker';
const TOKEN = 'token-of-the-page-0123456789abcdef0123456789';

const broker = new Mosquitto();
const asked: string[] = [];
let web: Server;
let sim: GpioSim;
let observer: Observer;
let page = 0;
let since = 0;

beforeAll(async () => {
  await installScript('--network');
  sim = await plugHeader();
  await startBroker();
  const port = await startWeb();
  page = await freePort();
  configure(`
lines:
  button1: { gpio: ${BUTTON1}, direction: in, edge: falling, bias: pull-up }
  led1: { gpio: ${LED1}, direction: out, initial: 0 }
interrupts:
  - line: button1
    work:
      do:
        - { http: "http://localhost:${port}/{edge}", method: POST, body: "{line}", timeout: 20s }
        - { exec: [/bin/echo, "ran for {line}"] }
        - { mqtt: house/bell, payload: "{line} {seqno}", qos: 1 }
mqtt:
  url: ${broker.url.replace('mqtt://127.0.0.1', 'mqtts://localhost')}
  username: pi
  password_file: ${ofService('mqtt-password', `${PASSWORD}\n`)}
  ca_file: ${ofService('broker-ca.pem', readFileSync(join(broker.directory, 'broker.pem'), 'utf8'))}
  base_topic: house/pi
http: { listen: "127.0.0.1:${page}", token_file: ${ofService('token', `${TOKEN}\n`)} }
`);
  since = Date.now();
  await systemctl('restart', SERVICE);
});

afterAll(async () => {
  await stopService();
  await observer.end();
  await broker.remove();
  web.close();
  sim.remove();
  await installScript('--no-network');
  await uninstall();
});

/** Puts a file beside the configuration that is the service's alone. @returns its path */
function ofService(name: string, text: string): string {
  const path = join(dirname(CONFIG), name);
  writeFileSync(path, text, { mode: 0o600 });
  const [uid, gid] = ['-u', '-g'].map((what) => Number(execFileSync('id', [what, 'gpio-irqd'], { encoding: 'utf8' })));
  chownSync(path, uid ?? 0, gid ?? 0);
  return path;
}

/** For the name `localhost`, with a certificate that speaks for itself. */
async function startBroker(): Promise<void> {
  const [key, certificate] = ['broker.key', 'broker.pem'].map((name) => join(broker.directory, name));
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const files = ['-keyout', key ?? '', '-out', certificate ?? ''];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, ...files], { stdio: 'ignore' });
  const passwords = broker.write('passwords', '');
  execFileSync('mosquitto_passwd', ['-b', passwords, 'pi', PASSWORD]);
  await broker.start(
    ['allow_anonymous false', `password_file ${passwords}`],
    [`certfile ${certificate}`, `keyfile ${key}`],
  );
  const ca = readFileSync(certificate ?? '');
  observer = await Observer.connect(broker.url.replace('mqtt:', 'mqtts:'), { ca, username: 'pi', password: PASSWORD });
}

async function startWeb(): Promise<number> {
  web = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (body: string) => asked.push(`${request.method} ${request.url} ${body}`));
    request.on('end', () => response.end('ok'));
  });
  const port = await freePort();
  await new Promise<void>((resolve) => web.listen(port, resolve));
  return port;
}

test('the broker hears of the daemon and its lines, by TLS and a password', async () => {
  await expect.poll(() => observer.newest('house/pi/status')).toBe('online');
  await expect.poll(() => observer.newest('house/pi/line/led1/state')).toBe('OFF');
  expect((await systemctl('show', '--property=DropInPaths', '--value', SERVICE)).trim()).toMatch(
    /^\S+\/50-network\.conf$/,
  );
});

test('a press is sent, runs a program, and is told', async () => {
  sim.pull(BUTTON1, 0);
  await expect.poll(() => observer.newest('house/bell')).toBe('button1 1');
  expect(asked).toEqual(['POST /falling button1']);
  expect(await journal(since)).toContain('ran for button1');
});

test('a command sets an output', async () => {
  await observer.client.publishAsync('house/pi/line/led1/set', 'ON', { qos: 1 });
  await expect.poll(() => sim.value(LED1)).toBe(1);
});

test('the API on loopback answers who has the token', async () => {
  // Not fetch(), which compiles its parser between connection and request: too slow here for the daemon's patience.
  const call = (headers = {}): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      get(`http://127.0.0.1:${page}/v1/status`, { headers, agent: false }, resolve).on('error', reject);
    });
  expect((await call()).statusCode).toBe(401);
  const answer = await call({ authorization: `Bearer ${TOKEN}` });
  expect(answer.statusCode).toBe(200);
  expect(await json(answer)).toMatchObject({ mqtt: { connected: true } });
});

test('it finds a broker again that was killed, and nothing of all that was forbidden it', async () => {
  await broker.kill();
  await expect.poll(async () => (await ask<DaemonStatus>('/v1/status')).mqtt?.connected).toBe(false);
  await broker.restart();
  await expect.poll(async () => (await ask<DaemonStatus>('/v1/status')).mqtt?.connected).toBe(true);
  expect(await unitState(SERVICE)).toMatchObject({ ActiveState: 'active', NRestarts: 0 });
  const said = await journal(since);
  expect(said).not.toMatch(/EPERM|EAFNOSUPPORT|SIGSYS/);
  for (const secret of [PASSWORD, TOKEN]) {
    expect(said).not.toContain(secret);
    expect(await gpioIrqctl('status', '--json')).not.toContain(secret);
  }
});

test('a stop is told, and takes no longer than it has to', async () => {
  // Else it is killed, after TimeoutStopSec, and that is no success.
  await systemctl('stop', SERVICE);
  await expect.poll(() => observer.newest('house/pi/status')).toBe('offline');
  expect(await unitState(SERVICE)).toMatchObject({ ActiveState: 'inactive', Result: 'success', ExecMainStatus: 0 });
});
