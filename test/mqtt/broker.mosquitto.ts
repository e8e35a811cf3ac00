// The daemon's MQTT with a real broker: away, restarted, locked, behind TLS, frozen, flooding.

import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configOf, TestDaemon } from '../../daemon/mqtt/broker.spec-helper.js';
import { Mosquitto, Network, Observer, until } from './mosquitto.js';

let broker: Mosquitto;
let daemon: TestDaemon;
const ends: (() => unknown)[] = [];

beforeEach(() => {
  broker = new Mosquitto();
  daemon = new TestDaemon();
});

afterEach(async () => {
  await daemon.mqtt.stop();
  for (const end of ends.splice(0)) await end();
  await broker.remove();
});

async function observe(options = {}): Promise<Observer> {
  const observer = await Observer.connect(broker.url, options);
  ends.push(() => observer.end());
  return observer;
}

function status() {
  const found = daemon.mqtt.status();
  if (found === undefined) throw new Error('no session');
  return found;
}

test('with version 5, the broker retains that the daemon is there and what each line is at', async () => {
  await broker.start();
  await daemon.start(configOf(broker.url));
  await daemon.connected();
  expect(status().version).toBe('5');
  // Who comes later finds it.
  const observer = await observe();
  await until('retained states', () => observer.newest('house/pi/line/led1/state') === 'OFF');
  expect(observer.heard).toContainEqual({ topic: 'house/pi/status', payload: 'online', retain: true });
  await daemon.mqtt.stop();
  await until('offline', () => observer.newest('house/pi/status') === 'offline');
});

test('what happens while the broker is killed and started again arrives, and nothing twice as a state', async () => {
  await broker.start();
  await daemon.start(configOf(broker.url));
  await daemon.connected();
  const observer = await observe();
  daemon.edge('button1', 'rising', 1);
  await until('the first', () => observer.seqnos('house/pi/line/button1/event').length === 1);
  // Some are on their way when it dies.
  for (let i = 2; i <= 100; i++) daemon.edge('button1', 'rising', i);
  await broker.kill();
  for (let i = 101; i <= 300; i++) daemon.edge('button1', 'rising', i);
  daemon.service.setLine('led1', 1);
  await until('they wait', () => status().queued >= 200);
  observer.heard.length = 0;
  await broker.restart();
  const fresh = await observe();
  await until('connected again', () => status().connected && status().queued === 0 && status().unconfirmed === 0);
  await until('the newest state', () => fresh.newest('house/pi/line/led1/state') === 'ON');
  const published = status().published;
  expect(status()).toMatchObject({ reconnects: 1, dropped: 0, refused: 0 });
  expect(published).toBeGreaterThanOrEqual(300);
  const late = await observe();
  await until('retained for who comes late', () => late.newest('house/pi/status') === 'online');
});

test('no event is lost over five restarts of the broker: each arrives once or more', async () => {
  await broker.start();
  const keeper = await Observer.connect(broker.url, { clientId: 'keeper' });
  ends.push(() => keeper.end());
  await daemon.start(configOf(broker.url));
  await daemon.connected();
  let sent = 0;
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 20; i++) daemon.edge('button1', 'rising', ++sent);
    await until('this round has arrived', () => keeper.seqnos('house/pi/line/button1/event').length === sent);
    await broker.kill();
    await until('down', () => !status().connected);
    for (let i = 0; i < 10; i++) daemon.edge('button1', 'rising', ++sent);
    await broker.restart();
    await until('the observer is back', () => keeper.client.connected);
    await until(
      'those of the outage have arrived',
      () => keeper.seqnos('house/pi/line/button1/event').length >= sent - 10,
    );
    await until('all is confirmed', () => status().queued === 0 && status().unconfirmed === 0 && status().connected);
    // The observer has no session: what came before it had subscribed again, it has not heard.
    for (const one of missing(keeper.seqnos('house/pi/line/button1/event'), sent))
      daemon.edge('button1', 'rising', one);
    await until('the rest', () => keeper.seqnos('house/pi/line/button1/event').length === sent);
  }
  expect(status()).toMatchObject({ dropped: 0, refused: 0 });
});

/** Numbers from 1 to `last` that are not in a list. */
function missing(there: readonly number[], last: number): number[] {
  return Array.from({ length: last }, (_, i) => i + 1).filter((one) => !there.includes(one));
}

test('commands that are sent while the network is cut are carried out when it is mended', async () => {
  await broker.start();
  const network = new Network(broker);
  await network.start();
  ends.push(() => network.close());
  await daemon.start(configOf(`mqtt://127.0.0.1:${network.port}`));
  await daemon.connected();
  const observer = await observe();
  network.cut();
  await until('the broker tells the will', () => observer.newest('house/pi/status') === 'offline');
  await observer.client.publishAsync('house/pi/line/led1/set', 'ON', { qos: 1 });
  expect(daemon.service.led).toBe(0);
  network.mend();
  await until('the command', () => daemon.service.led === 1);
  await until('online again', () => observer.newest('house/pi/status') === 'online');
  await until('the state', () => observer.newest('house/pi/line/led1/state') === 'ON');
});

test('a daemon that was stopped finds no commands from meanwhile', async () => {
  await broker.start();
  await daemon.start(configOf(broker.url));
  await daemon.connected();
  await daemon.mqtt.stop();
  const observer = await observe();
  await observer.client.publishAsync('house/pi/line/led1/set', 'ON', { qos: 1 });
  daemon = new TestDaemon();
  await daemon.start(configOf(broker.url));
  await daemon.connected();
  await observer.client.publishAsync('house/pi/line/led1/set', 'OFF', { qos: 1 });
  await until('the next command', () => status().commands === 1);
  expect(daemon.service.led).toBe(0);
});

describe('with a password', () => {
  const PASSWORD = 'a very secret pass-word';

  async function locked(password: string): Promise<void> {
    const passwords = broker.write('passwords', '');
    execFileSync('mosquitto_passwd', ['-b', passwords, 'pi', PASSWORD]);
    await broker.start(['allow_anonymous false', `password_file ${passwords}`]);
    const file = broker.write('password', `${password}\n`);
    await daemon.start(configOf(broker.url, `username: pi, password_file: ${file}`));
  }

  test('the one of its file is right', async () => {
    await locked(PASSWORD);
    await daemon.connected();
    const observer = await observe({ username: 'pi', password: PASSWORD });
    await until('online', () => observer.newest('house/pi/status') === 'online');
    const told = JSON.stringify([daemon.logged, daemon.news, status()]);
    expect(told).not.toContain(PASSWORD);
  });

  test('a wrong one is told of, without it', async () => {
    await locked('another one');
    await until('refused', () => daemon.mqtt.status()?.problem !== undefined);
    expect(status().problem).toMatch(/Not authorized|Bad User Name or Password/i);
    expect(JSON.stringify([daemon.logged, daemon.news])).not.toContain('another one');
  });

  test('a file that others can read is refused at the start', async () => {
    await broker.start();
    const file = broker.write('password', 'x\n');
    chmodSync(file, 0o644);
    const started = daemon.start(configOf(broker.url, `username: pi, password_file: ${file}`));
    await expect(started).rejects.toThrow(/password/);
    await expect(started).rejects.toMatchObject({ code: 'EACCES' });
  });
});

describe('with TLS', () => {
  /** Makes an authority, and what it certifies: the broker and a client. */
  function certify(name: string): void {
    const run = (...args: string[]): void =>
      void execFileSync('openssl', args, { cwd: broker.directory, stdio: 'pipe' });
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    run('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test authority', '-days', '1');
    for (const [who, names] of [
      ['broker', name],
      ['client', 'DNS:pi'],
    ] as const) {
      broker.write(`${who}.ext`, `subjectAltName=${names}\n`);
      run('req', ...key, '-keyout', `${who}.key`, '-out', `${who}.csr`, '-subj', `/CN=${who}`);
      const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1', '-extfile', `${who}.ext`];
      run('x509', '-req', '-in', `${who}.csr`, ...by, '-out', `${who}.pem`);
    }
    for (const file of ['ca.pem', 'client.pem', 'client.key']) chmodSync(`${broker.directory}/${file}`, 0o600);
  }

  async function startTls(name = 'IP:127.0.0.1'): Promise<void> {
    certify(name);
    const files = [`cafile ${broker.directory}/ca.pem`, `certfile ${broker.directory}/broker.pem`];
    const more = [`keyfile ${broker.directory}/broker.key`, 'require_certificate true'];
    await broker.start(['allow_anonymous true'], [...files, ...more]);
  }

  const file = (name: string): string => `${broker.directory}/${name}`;
  const url = (): string => broker.url.replace('mqtt:', 'mqtts:');
  const own = (): string => `cert_file: ${file('client.pem')}, key_file: ${file('client.key')}`;

  test('broker and daemon know each other by the certificates of the files', async () => {
    await startTls();
    await daemon.start(configOf(url(), `ca_file: ${file('ca.pem')}, ${own()}`));
    await daemon.connected();
    expect(status().broker).toBe(url());
  });

  test('a broker that nobody vouches for is left alone', async () => {
    await startTls();
    await daemon.start(configOf(url(), own()));
    await until('refused', () => daemon.mqtt.status()?.problem !== undefined);
    expect(status().problem).toMatch(/self.signed certificate|unable to (get|verify)/i);
    expect(status().connected).toBe(false);
  });

  test('a broker with the certificate of another is left alone', async () => {
    await startTls('DNS:other.example');
    await daemon.start(configOf(url(), `ca_file: ${file('ca.pem')}, ${own()}`));
    await until('refused', () => daemon.mqtt.status()?.problem !== undefined);
    expect(status().problem).toMatch(/does not match certificate/);
  });

  test('a daemon without a certificate is refused by the broker, and says so', async () => {
    await startTls();
    await daemon.start(configOf(url(), `ca_file: ${file('ca.pem')}`));
    await until('refused', () => daemon.mqtt.status()?.problem !== undefined);
    expect(status().connected).toBe(false);
  });

  test('a file that holds no certificate is refused at the start, by its name', async () => {
    await startTls();
    const started = daemon.start(configOf(url(), `ca_file: ${file('broker.ext')}`));
    await expect(started).rejects.toThrow(/broker\.ext cannot be used for TLS/);
  });
});

test('what the broker does not allow is told of, and the rest goes on', async () => {
  const acl = broker.write('acl', 'topic readwrite house/#\ntopic read homeassistant/#\n');
  await broker.start(['allow_anonymous true', `acl_file ${acl}`]);
  await daemon.start(configOf(broker.url));
  await daemon.connected();
  await until('refused', () => status().refused > 0);
  expect(daemon.news.find(({ phase }) => phase === 'refused')).toMatchObject({
    what: 'a message to homeassistant/device/house_pi/config',
    reason: expect.stringMatching(/not authorized/i),
  });
  const observer = await observe();
  await until('the state', () => observer.newest('house/pi/line/led1/state') === 'OFF');
});

test('a broker that is frozen holds up neither the event loop nor the end, and takes all afterwards', async () => {
  await broker.start();
  await daemon.start(configOf(broker.url, 'queue_max: 5000'));
  await daemon.connected();
  const observer = await observe();
  broker.freeze();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const rss = process.memoryUsage().rss;
  for (let i = 1; i <= 20_000; i++) {
    daemon.edge('button1', 'rising', i);
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await until('the oldest are given up', () => status().dropped > 14_000);
  delay.disable();
  expect(status().queued).toBeLessThanOrEqual(5002);
  expect(process.memoryUsage().rss - rss).toBeLessThan(100 * 1024 * 1024);
  expect(delay.percentile(50) / 1e6).toBeLessThan(20);
  broker.go();
  await until('all is confirmed', () => status().queued === 0 && status().unconfirmed === 0);
  await until('the newest has arrived', () => observer.seqnos('house/pi/line/button1/event').includes(20_000));
  expect(observer.seqnos('house/pi/line/button1/event').length + status().dropped).toBe(20_000);
  broker.freeze();
  const start = performance.now();
  await daemon.mqtt.stop();
  expect(performance.now() - start).toBeLessThan(6000);
});

test('a flood of commands is refused, and edges are told of meanwhile', async () => {
  await broker.start();
  await daemon.start(configOf(broker.url));
  await daemon.connected();
  const observer = await observe();
  const flood = await Observer.connect(broker.url, {});
  ends.push(() => flood.end());
  for (let i = 0; i < 20_000; i++) flood.client.publish('house/pi/line/led1/set', i % 2 === 0 ? 'ON' : 'OFF');
  daemon.edge('button1', 'rising', 1);
  await until('the edge', () => observer.seqnos('house/pi/line/button1/event').length === 1);
  await until('the flood is over', () => status().flooded + status().commands + status().commandsRefused >= 15_000);
  expect(status().commands).toBeLessThan(2000);
  daemon.edge('button1', 'rising', 2);
  await until('the next edge', () => observer.seqnos('house/pi/line/button1/event').length === 2);
});
