// The stand-in daemon of rig-notify.service: says READY, stops on SIGTERM.

import { execFileSync } from 'node:child_process';

const notify = (...state) => execFileSync('systemd-notify', state);

process.on('SIGTERM', () => {
  notify('STOPPING=1');
  process.exit(0);
});
setInterval(() => undefined, 1000);
notify('--ready', `--status=${process.pid} is up`);
