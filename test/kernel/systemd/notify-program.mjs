// The stand-in daemon of rig-notify.service: says READY, pings the watchdog, hangs on SIGUSR1, stops on SIGTERM.

import { execFileSync } from 'node:child_process';

const notify = (...state) => execFileSync('systemd-notify', state);

process.on('SIGTERM', () => {
  notify('STOPPING=1');
  process.exit(0);
});
process.on('SIGUSR1', () => {
  for (;;);
});
setInterval(() => notify('WATCHDOG=1'), 500);
notify('--ready', `--status=${process.pid} is up`);
