// A handler module that tries, from inside the service, what the unit is to keep it from: written to the runtime directory as JSON.
import { spawnSync } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { copyFileSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';

const runtime = process.env.RUNTIME_DIRECTORY;

/** How an attempt ends: `ok`, or the code of its error. */
function attempt(action) {
  try {
    action();
    return 'ok';
  } catch (error) {
    return error.code;
  }
}

/** `silence`: a packet that the filter drops is sent again and again, for minutes. */
function connect(host) {
  return new Promise((settle) => {
    setTimeout(settle, 1000, 'silence').unref();
    const socket = createConnection({ host, port: 9 });
    socket.once('connect', () => settle('ok'));
    socket.once('error', (error) => settle(error.code));
  });
}

/** Runs a program that was copied to a directory. */
function runFrom(directory) {
  const copy = join(directory, 'true');
  copyFileSync('/bin/true', copy);
  return spawnSync(copy).error?.code ?? 'ok';
}

const found = {
  loopback: await connect('127.0.0.1'),
  // On this machine, but not as its own: nobody answers, if the packet gets out at all.
  elsewhere: await connect('203.0.113.1'),
  // glibc asks the kernel for addresses by netlink first, which is not allowed.
  name: await lookup('localhost').then(
    ({ address }) => address,
    (error) => error.code,
  ),
  writeEtc: attempt(() => writeFileSync('/etc/gpio-irqd/own.yaml', '')),
  writeTmp: attempt(() => writeFileSync('/tmp/mine', '')),
  writeShm: attempt(() => writeFileSync('/dev/shm/mine', '')),
  runFromRuntime: runFrom(runtime),
  runFromTmp: runFrom('/tmp'),
  run: spawnSync('/bin/true').error?.code ?? 'ok',
  otherDevice: attempt(() => openSync('/dev/probe', 'r')),
  readKernelLog: attempt(() => openSync('/dev/kmsg', 'r')),
  readMeminfo: attempt(() => readFileSync('/proc/meminfo')),
  processes: readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length,
  seesInit: existsSync('/proc/1'),
  homes: [...readdirSyncOr('/home'), ...readdirSyncOr('/root')],
  writeSysfs: attempt(() => writeFileSync('/sys/class/gpio/export', '1')),
  becomeRoot: attempt(() => process.setuid(0)),
  openFiles: spawnSync('/bin/sh', ['-c', 'ulimit -Hn']).stdout.toString().trim(),
};

function readdirSyncOr(directory) {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

writeFileSync(join(runtime, 'probe.json'), JSON.stringify(found));

export const topHalf = (_irq, { kernel }) => kernel.IRQ_HANDLED;
