// Secrets that a daemon is given are in nothing that it says: not in its log at its most talkative, not in its API, not in an error.

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useLab } from './running-daemon.js';

const lab = useLab();
const PASSWORD = 'hunter2-of-the-broker';
const TOKEN = 'token-of-the-api-0123456789';
const HEADER = 'bearer-of-the-request';
const ARGUMENT = 'secret-in-a-url';

test('whatever goes wrong with it, no secret is told', { timeout: 300_000 }, async () => {
  const secret = (name: string, text: string): string => {
    const path = join(lab.directory, name);
    writeFileSync(path, text);
    chmodSync(path, 0o600);
    return path;
  };
  const config = join(lab.directory, 'secrets.yaml');
  // Nobody listens at port 9 of this machine.
  writeFileSync(
    config,
    `driver: sim
lines:
  button1: { gpio: 17, edge: both, bias: pull-up, active: low }
interrupts:
  - line: button1
    work:
      - queue: slow
        do:
          - { http: "http://127.0.0.1:9/ring?key=${ARGUMENT}", headers: { Authorization: "Bearer ${HEADER}" }, timeout: 1s }
          - { exec: [/bin/false], env: { API_KEY: "${HEADER}" } }
workqueues: { slow: { flags: [unbound] } }
mqtt: { url: mqtt://127.0.0.1:9, username: me, password_file: ${secret('password', PASSWORD)} }
http: { listen: 127.0.0.1:${20_000 + (process.pid % 20_000)}, token_file: ${secret('token', TOKEN)} }
log: { level: trace }
`,
  );
  const daemon = await lab.start(config);
  await daemon.press('button1');
  await daemon.says('127.0.0.1:9');
  const answers = await Promise.all(
    ['/v1/status', '/v1/lines', '/v1/interrupts', '/v1/trace', '/v1/config'].map((route) =>
      daemon.client.call('GET', route).catch((error: unknown) => String(error)),
    ),
  );
  const { out, err } = await daemon.ends('SIGTERM');
  const said = `${out}${err}${JSON.stringify(answers)}`;
  expect(said).toMatch(/127\.0\.0\.1:9/);
  for (const text of [PASSWORD, TOKEN, HEADER, ARGUMENT]) expect(said).not.toContain(text);
});
