// A service manager's socket for tests: python3 (Debian: apt-get install python3) receives, since Node has no datagrams of unix sockets.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Prints each message as JSON, with a line for each descriptor that came with it. It is slow to let go of a barrier. */
const RECEIVER = `
import json, os, socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace("@", "\\0"))
print(json.dumps("bound"), flush=True)
while True:
    data, fds, flags, address = socket.recv_fds(s, 65536, 300)
    files = [os.readlink("/proc/self/fd/%d" % fd) for fd in fds]
    if data == b"BARRIER=1": time.sleep(float(sys.argv[2]))
    for fd in fds: os.close(fd)
    print(json.dumps("\\n".join([data.decode(), *files])), flush=True)
`;

/** Listens as systemd does. */
export interface Manager {
  /** The next message: its assignments, and the files of its descriptors, in lines. */
  next(): Promise<string>;
  end(): Promise<void>;
}

/**
 * Starts one; it listens when this resolves.
 *
 * @param address as in `NOTIFY_SOCKET` @param barrierMs how long a barrier takes
 */
export async function startManager(address: string, barrierMs = 50): Promise<Manager> {
  const args = ['-c', RECEIVER, address, String(barrierMs / 1_000)];
  const child = spawn('python3', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const messages = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { done, value } = await messages.next();
    if (done) throw new Error('the receiver ended; is python3 installed?');
    return JSON.parse(value) as string;
  };
  const first = await next();
  if (first !== 'bound') throw new Error(first);
  return {
    next,
    end: async () => {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}
