// A port for a server that others must find at the same place again.
import { createServer } from 'node:net';

/** Below those that the system gives out by itself (32768 to 60999), which may be anybody's in the next moment. */
const FIRST = 20_000;
const LAST = 32_000;

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** A port of loopback that nobody has just now, and that nobody gets who does not ask for this very one. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (await isFree(port)) return port;
  }
}
