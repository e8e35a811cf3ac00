// From the configuration to a connection: address, credentials from their files, and names that no other daemon has.

import { createHash, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { KernelError } from '../../kernel/errno.js';
import type { MqttSpec } from '../config/sections/mqtt.js';
import { readTrusted } from '../security/read-trusted.js';
import type { BrokerSettings } from './broker-client.js';
import type { BrokerAddress } from './stream.js';
import { Topics } from './topics.js';

/** Names of this daemon at the broker. */
export interface Identity {
  /** Of the machine. */
  readonly host: string;
  /** Absolute path of the configuration: two daemons of a machine have two. */
  readonly configPath: string;
}

/** Hosts that a password reaches without leaving the machine. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/;

/** By scheme of the URL: how it is spoken to, and where when it does not say. */
const PROTOCOLS: ReadonlyMap<string, readonly [BrokerAddress['protocol'], number]> = new Map([
  ['mqtt:', ['mqtt', 1883]],
  ['tcp:', ['mqtt', 1883]],
  ['mqtts:', ['mqtts', 8883]],
  ['tls:', ['mqtts', 8883]],
  ['ws:', ['ws', 80]],
  ['wss:', ['wss', 443]],
]);

/** The topics of a configuration. */
export function topicsOf(spec: MqttSpec, { host }: Identity): Topics {
  return new Topics(spec.baseTopic ?? `gpio-irqd/${host}`);
}

/** The client identifier: stable over restarts, and another for each configuration of a machine. */
export function clientIdOf(spec: MqttSpec, { host, configPath }: Identity): string {
  const mark = createHash('sha256').update(configPath).digest('hex').slice(0, 6);
  return spec.clientId ?? `gpio-irqd-${host.slice(0, 40)}-${mark}`;
}

/** The address as it may be shown: without anything that is secret. */
export function shownAddress({ url }: MqttSpec): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}

/** Whether a password would go over a network for all to read. */
export function isPasswordOpen(spec: MqttSpec): boolean {
  const { protocol, hostname } = new URL(spec.url);
  return spec.passwordFile !== undefined && /^(mqtt|tcp|ws):$/.test(protocol) && !LOOPBACK.test(hostname);
}

/**
 * Reads the files of the section and puts the connection together. Blocks for them; for the start and reload.
 *
 * @throws KernelError as readTrusted does, `EINVAL` for a file that holds no certificate, key or password
 */
export function brokerSettings(spec: MqttSpec, identity: Identity, topics: Topics): BrokerSettings {
  return {
    address: addressOf(spec),
    clientId: clientIdOf(spec, identity),
    username: spec.username,
    password: spec.passwordFile === undefined ? undefined : passwordIn(spec.passwordFile),
    version: spec.version,
    sessionS: spec.sessionNs === undefined ? undefined : spec.sessionNs / 1e9,
    keepaliveS: spec.keepaliveNs / 1e9,
    will: { topic: topics.availability, payload: 'offline', qos: 1, retain: true },
  };
}

function addressOf(spec: MqttSpec): BrokerAddress {
  const { protocol: scheme, hostname, port, pathname, search } = new URL(spec.url);
  const [protocol, usualPort] = PROTOCOLS.get(scheme) ?? [];
  if (protocol === undefined || usualPort === undefined) {
    throw new KernelError('EINVAL', `${scheme} is no way to a broker`, { subject: scheme });
  }
  return {
    protocol,
    // An address of IPv6 has brackets in a URL only.
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? usualPort : Number(port),
    path: pathname + search,
    tls: certificates(spec),
  };
}

/** The first line of a file, as editors leave an end of line behind. */
function passwordIn(path: string): string {
  const password = readTrusted(path, 'secret')
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (password !== '' && !/[\0\n]/.test(password)) return password;
  throw new KernelError('EINVAL', `${path} is not a password: it is empty or has several lines`, { subject: path });
}

function certificates({ caFile, certFile, keyFile }: MqttSpec): BrokerAddress['tls'] {
  const [ca, cert] = [caFile, certFile].map((path) => (path === undefined ? undefined : readTrusted(path, 'config')));
  const key = keyFile === undefined ? undefined : readTrusted(keyFile, 'secret');
  if (caFile !== undefined && ca !== undefined) usable(caFile, () => new X509Certificate(ca));
  if (certFile !== undefined && cert !== undefined) usable(certFile, () => new X509Certificate(cert));
  if (keyFile !== undefined) usable(keyFile, () => createSecureContext({ cert, key }));
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/** Tells of a file that cannot be what it is used as. */
function usable(path: string, use: () => unknown): void {
  try {
    use();
  } catch (error) {
    const { message } = error as Error;
    const hint = 'PEM is what is read: -----BEGIN CERTIFICATE-----, -----BEGIN PRIVATE KEY-----, without a passphrase';
    throw new KernelError('EINVAL', `${path} cannot be used for TLS: ${message}`, { subject: path, hint });
  }
}
