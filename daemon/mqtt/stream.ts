// The bytes to and from the broker: over TCP, TLS or a WebSocket, in pieces that are read in a moment.

import { createRequire } from 'node:module';
import { connect as connectTcp } from 'node:net';
import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { PacketGuard } from './packet-guard.js';

/** Where the broker is. */
export interface BrokerAddress {
  readonly protocol: 'mqtt' | 'mqtts' | 'ws' | 'wss';
  /** Without brackets around an IPv6 address. */
  readonly host: string;
  readonly port: number;
  /** Of a WebSocket. */
  readonly path: string;
  /** Certificates and key, where the configuration names any. */
  readonly tls: Pick<ConnectionOptions, 'ca' | 'cert' | 'key'>;
}

/** Opens a stream to the broker; errors come as events of the stream. */
export type OpenStream = (address: BrokerAddress) => Duplex;

/** Bytes that are parsed in one go: a few hundred of the smallest messages. */
const PIECE_BYTES = 4096;

/** Loads what the way to a broker needs, so that no connection waits for it. */
export async function loadStreams({ protocol }: BrokerAddress): Promise<OpenStream> {
  if (protocol === 'mqtt') return ({ host, port }) => new PiecedStream(connectTcp({ host, port, noDelay: true }));
  if (protocol === 'mqtts') {
    return ({ host, port, tls }) => new PiecedStream(connectTls({ host, port, ...serverName(host), ...tls }));
  }
  const { WebSocket, createWebSocketStream } = createRequire(import.meta.url)('ws') as typeof import('ws');
  return ({ host, port, path, tls }) => {
    const url = `${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
    return new PiecedStream(createWebSocketStream(new WebSocket(url, 'mqtt', { ...tls, perMessageDeflate: false })));
  };
}

/** A name is what a certificate is checked for; an address is not sent as one. */
function serverName(host: string): { servername?: string } {
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host };
}

/**
 * A stream that hands what it reads on in small pieces, each once the one before it was dealt with: the library parses a
 * piece in one go, and 64 KiB of small messages would hold the event loop up. A packet that is too long ends it.
 */
export class PiecedStream extends Duplex {
  readonly #raw: Duplex;
  readonly #guard = new PacketGuard();

  constructor(raw: Duplex) {
    super({ readableHighWaterMark: PIECE_BYTES });
    this.#raw = raw;
    raw.on('data', (chunk: Buffer) => this.#take(chunk));
    raw.on('end', () => this.push(null));
    raw.on('error', (error) => this.destroy(error));
    raw.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#raw.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#raw.write(chunk)) done();
    else this.#raw.once('drain', done);
  }

  override _writev(chunks: { readonly chunk: Buffer }[], done: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'utf8', done);
  }

  override _final(done: () => void): void {
    this.#raw.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#raw.destroy();
    done(error);
  }

  #take(chunk: Buffer): void {
    if (!this.#guard.allows(chunk)) {
      this.destroy(Object.assign(new Error('a packet of the broker is too long'), { code: 'EPROTO' }));
      return;
    }
    let more = true;
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) more = this.push(chunk.subarray(at, at + PIECE_BYTES));
    if (!more) this.#raw.pause();
  }
}
