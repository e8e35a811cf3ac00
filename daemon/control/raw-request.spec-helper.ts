// Requests in bytes, for what no client would send.
import { connect } from 'node:net';

/** Sends bytes on a connection of their own, and waits until the daemon ends it. @returns what it answered */
export function sendRaw(socketPath: string, bytes: Uint8Array | string): Promise<string> {
  return new Promise((settle) => {
    const socket = connect(socketPath);
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
    });
    // A reset while writing is one of the right answers; 'close' follows.
    socket.on('error', () => undefined);
    socket.on('close', () => settle(answer));
    socket.write(bytes);
  });
}
