import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { MqttSpec } from '../config/sections/mqtt.js';
import { configOf } from './broker.spec-helper.js';
import { brokerSettings, clientIdOf, isPasswordOpen, shownAddress, topicsOf } from './settings.js';

const directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-mqtt-'));
afterAll(() => rmSync(directory, { recursive: true }));

const PI = { host: 'pi', configPath: '/etc/gpio-irqd/config.yaml' };

function specOf(url: string, more: Partial<MqttSpec> = {}): MqttSpec {
  const { mqtt } = configOf(url);
  if (mqtt === undefined) throw new Error('no section');
  return { ...mqtt, ...more };
}

function file(text: string, mode = 0o600): string {
  const path = join(directory, `file-${Math.abs(text.length)}-${mode}`);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test.each([
  ['mqtt://broker', { protocol: 'mqtt', host: 'broker', port: 1883 }],
  ['tcp://broker:1234', { protocol: 'mqtt', host: 'broker', port: 1234 }],
  ['mqtts://broker', { protocol: 'mqtts', host: 'broker', port: 8883 }],
  ['mqtts://[::1]:99', { protocol: 'mqtts', host: '::1', port: 99 }],
  ['wss://broker/mqtt?x=1', { protocol: 'wss', host: 'broker', port: 443, path: '/mqtt?x=1' }],
])('%s is where the broker is', (url, address) => {
  const spec = specOf(url);
  expect(brokerSettings(spec, PI, topicsOf(spec, PI)).address).toMatchObject(address);
});

test('names are of the host, and the client has another for each configuration', () => {
  const spec = specOf('mqtt://broker', { baseTopic: undefined, clientId: undefined });
  expect(topicsOf(spec, PI).base).toBe('gpio-irqd/pi');
  const [one, other] = [PI, { ...PI, configPath: '/home/me/config.yaml' }].map((identity) =>
    clientIdOf(spec, identity),
  );
  expect(one).toMatch(/^gpio-irqd-pi-[0-9a-f]{6}$/);
  expect(one).not.toBe(other);
  expect(clientIdOf(spec, PI)).toBe(one);
});

test('a password is the text of its file, without the end of the line', () => {
  const spec = specOf('mqtts://broker', { username: 'pi', passwordFile: file('pass word\n') });
  expect(brokerSettings(spec, PI, topicsOf(spec, PI))).toMatchObject({ username: 'pi', password: 'pass word' });
});

test.each([
  ['', 'EINVAL'],
  ['a\nb\n', 'EINVAL'],
  ['x'.repeat(300_000), 'EOVERFLOW'],
])('a file that holds no password is refused: %.8j', (text, code) => {
  const spec = specOf('mqtts://broker', { username: 'pi', passwordFile: file(text) });
  expect(() => brokerSettings(spec, PI, topicsOf(spec, PI))).toThrow(expect.objectContaining({ code }));
});

test('a secret that others can read is refused with what mends it, and without the secret', () => {
  const path = file('very secret', 0o644);
  const spec = specOf('mqtts://broker', { username: 'pi', passwordFile: path });
  try {
    brokerSettings(spec, PI, topicsOf(spec, PI));
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ code: 'EACCES', message: expect.stringContaining(path) });
    expect(JSON.stringify(error) + String(error)).not.toContain('very secret');
  }
});

test('a password without TLS is a matter for a warning, unless it stays on the machine', () => {
  const passwordFile = '/etc/password';
  expect(isPasswordOpen(specOf('mqtt://broker', { passwordFile }))).toBe(true);
  expect(isPasswordOpen(specOf('ws://10.0.0.1', { passwordFile }))).toBe(true);
  expect(isPasswordOpen(specOf('mqtts://broker', { passwordFile }))).toBe(false);
  expect(isPasswordOpen(specOf('mqtt://localhost', { passwordFile }))).toBe(false);
  expect(isPasswordOpen(specOf('mqtt://[::1]', { passwordFile }))).toBe(false);
  expect(isPasswordOpen(specOf('mqtt://broker'))).toBe(false);
});

test('what is shown of the address has no path', () => {
  expect(shownAddress(specOf('wss://broker:444/secret?token=1'))).toBe('wss://broker:444');
});
