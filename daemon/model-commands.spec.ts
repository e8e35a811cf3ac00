// The model's kernel through the control API and gpio-irqctl: what is shown, what is changed, and what is refused.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  allocWorkqueue,
  disableIrqNosync,
  freeIrq,
  handleEdgeIrq,
  IRQ_HANDLED,
  IrqDomain,
  irqSetStormGuard,
  queueWork,
  requestIrq,
  showInterrupts,
  Work,
  WQ_HIGHPRI,
  WQ_UNBOUND,
} from '../kernel/index.js';
import { ControlClient } from './control/client.js';
import { FakeService } from './control/fake-service.spec-helper.js';
import { type ControlServer, startControl } from './control/server.js';
import { type Answer, irqctl } from './stage.spec-helper.js';

let directory = '';
let socket = '';
let service: FakeService;
let server: ControlServer;
let client: ControlClient;
let domain: IrqDomain;
let irq = 0;
let handled = 0;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-model-'));
  socket = join(directory, 'control.sock');
  service = new FakeService();
  domain = new IrqDomain(service.machine, {
    name: 'fake',
    size: 32,
    flow: handleEdgeIrq,
    chip: { name: 'fake', mask: () => {}, unmask: () => {}, setAffinity: (_desc, mask) => mask & -mask },
  });
  irq = domain.createMapping(17);
  handled = 0;
  request();
  server = await startControl({ target: service, path: socket, log: pino({ level: 'silent' }) });
  client = new ControlClient(socket);
});

afterEach(async () => {
  await client.close();
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

function request(): void {
  const handler = () => {
    handled++;
    return IRQ_HANDLED;
  };
  service.machine.runTask(() => requestIrq(irq, handler, 0, 'button1'));
}

function pulse(): void {
  service.machine.bootCpu.callFunction(() => domain.handle(17));
}

const ctl = (...args: string[]): Promise<Answer> => irqctl(socket, ...args);

describe('irq N', () => {
  it('shows the line', async () => {
    pulse();
    expect((await ctl('irq', `${irq}`)).output.split('\n')).toEqual([
      `irq        ${irq} (fake 17, edge)`,
      'handlers   button1',
      'state      enabled, inactive',
      'counts     CPU0 1, CPU1 0',
      'unhandled  0',
      'affinity   CPU 0-1, goes to CPU 0',
      '',
    ]);
    expect(JSON.parse((await ctl('irq', `${irq}`, '--json')).output)).toMatchObject({ irq, hwirq: 17, counts: [1, 0] });
  });

  it('disables as often as it is told to, and enables as often', async () => {
    expect((await ctl('irq', `${irq}`, 'disable')).output).toContain(
      `depth 1, 1 from here: gpio-irqctl irq ${irq} enable`,
    );
    expect((await ctl('irq', `${irq}`, 'disable')).output).toContain('depth 2, 2 from here');
    pulse();
    expect(handled).toBe(0);
    expect((await ctl('irq', `${irq}`, 'enable')).output).toContain('disabled (depth 1, 1 from here');
    expect((await ctl('irq', `${irq}`)).output).toContain('an interrupt waits');
    expect((await ctl('irq', `${irq}`, 'enable')).output).toContain('state      enabled, inactive');
    service.machine.advance(1_000_000);
    expect(handled).toBe(1);
  });

  it('does not enable what it has not disabled', async () => {
    expect(await ctl('irq', `${irq}`, 'enable')).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/not disabled from here \(EINVAL\)\n {2}it is enabled/),
    });
    service.machine.runTask(() => disableIrqNosync(irq));
    expect((await ctl('irq', `${irq}`, 'enable')).errors).toContain('a handler or a driver disabled it');
    await ctl('irq', `${irq}`, 'disable');
    await ctl('irq', `${irq}`, 'enable');
    expect((await ctl('irq', `${irq}`)).output).toContain('disabled (depth 1, not from here)');
  });

  it('has nothing to enable any more when the line was freed and requested anew', async () => {
    await ctl('irq', `${irq}`, 'disable');
    service.machine.runTask(() => freeIrq(irq));
    expect((await ctl('irq', `${irq}`, 'disable')).errors).toContain('has no handler');
    request();
    expect((await ctl('irq', `${irq}`)).output).toContain('state      enabled, inactive');
    expect((await ctl('irq', `${irq}`, 'enable')).code).toBe(1);
  });

  it('says when the storm guard has disabled the line', async () => {
    service.machine.runTask(() => irqSetStormGuard(irq, { ratePerSec: 10 }));
    for (let i = 0; i < 30; i++) pulse();
    expect((await ctl('irq', `${irq}`)).output).toContain('state      disabled (depth 1, by its storm guard)');
  });

  it('shows a line that hands on others, and does not let it be disabled', async () => {
    domain.setChainedHandler(5, () => 0, 'controller');
    const chained = `${domain.createMapping(5)}`;
    expect((await ctl('irq', chained)).output).toContain('handlers   none: it hands on the interrupts of other lines');
    expect(await ctl('irq', chained, 'disable')).toMatchObject({ code: 1, errors: expect.stringMatching(/\(EPERM\)/) });
    expect((await ctl('irq', chained)).output).toContain('enabled, inactive');
  });

  it('sends the line to other CPUs', async () => {
    expect((await ctl('irq', `${irq}`, 'affinity', '2')).output).toContain('affinity   CPU 1, goes to CPU 1');
    expect((await ctl('irq', `${irq}`, 'affinity', '0')).errors).toContain('(EINVAL)');
    expect((await ctl('irq', `${irq}`, 'affinity', '4')).errors).toContain('(EOVERFLOW)');
  });

  it.each([
    [['irq'], 2],
    [['irq', 'x'], 2],
    [['irq', '1', 'mask'], 2],
    [['irq', '1', 'affinity'], 2],
    [['irq', '1', 'enable', '2'], 2],
    [['irq', '99'], 1],
    [['irq', '99', 'disable'], 1],
    [['irq', '99', 'affinity', '1'], 1],
  ])('%j ends with %i, and says why', async (args, code) => {
    const { errors, ...rest } = await ctl(...args);
    expect(rest).toEqual({ code, output: '' });
    expect(errors).not.toBe('');
  });

  it('whatever is done nests, and nothing is left disabled when all is taken back', async () => {
    const steps = fc.array(fc.constantFrom('disable', 'enable', 'handler disables'), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(steps, async (todo) => {
        const desc = service.machine.irqs.get(irq);
        const own = desc.depth;
        let here = 0;
        let theirs = own;
        for (const step of todo) {
          if (step === 'handler disables') {
            service.machine.runTask(() => disableIrqNosync(irq));
            theirs++;
          } else {
            const { code } = await ctl('irq', `${irq}`, step);
            expect(code).toBe(step === 'enable' && here === 0 ? 1 : 0);
            if (code === 0) here += step === 'disable' ? 1 : -1;
          }
          expect(service.model.irq(irq)).toMatchObject({ depth: here + theirs, heldHere: here });
        }
        for (; here > 0; here--) await ctl('irq', `${irq}`, 'enable');
        expect(desc.depth).toBe(theirs);
      }),
      { numRuns: 15 },
    );
  });
});

describe('files', () => {
  it('are found by whatever path leads to them', async () => {
    const text = (await ctl('cat', '/proc/softirqs')).output;
    expect((await ctl('cat', '../proc/./irq/..//softirqs')).output).toBe(text);
    expect((await ctl('cat', '../../etc/passwd')).errors).toContain('(ENOENT)');
  });

  it('are read as they are', async () => {
    expect((await ctl('cat', '/proc/interrupts')).output).toBe(showInterrupts(service.machine));
    expect((await ctl('cat', `proc/irq/${irq}/smp_affinity_list`)).output).toBe('0-1\n');
    expect(JSON.parse((await ctl('cat', '/proc/irq/default_smp_affinity', '--json')).output)).toEqual({
      path: '/proc/irq/default_smp_affinity',
      text: '3\n',
    });
  });

  it('are written as by echo', async () => {
    const path = `/proc/irq/${irq}/smp_affinity_list`;
    expect(await ctl('write', path, '1')).toEqual({ code: 0, output: '', errors: '' });
    expect((await ctl('cat', path)).output).toBe('1\n');
  });

  it('are listed with their modes', async () => {
    expect((await ctl('ls', `/proc/irq/${irq}`)).output.split('\n')).toEqual([
      '-r--r--r--  affinity_hint',
      'dr-xr-xr-x  button1',
      '-r--r--r--  effective_affinity',
      '-r--r--r--  effective_affinity_list',
      '-r--r--r--  node',
      '-rw-r--r--  smp_affinity',
      '-rw-r--r--  smp_affinity_list',
      '-r--r--r--  spurious',
      '',
    ]);
    expect((await ctl('ls', '/proc/interrupts')).output).toBe('/proc/interrupts\n');
    expect((await ctl('ls', `/proc/irq/${irq}/button1`)).output).toBe('');
  });

  it.each([
    ['cat', '/proc/nothing', 'ENOENT'],
    ['cat', '/proc/irq', 'EISDIR'],
    ['cat', '/proc/../etc/passwd', 'ENOENT'],
    ['ls', '/proc/interrupts/deeper', 'ENOTDIR'],
    ['cat', '/etc/passwd', 'ENOENT'],
    ['cat', `/${'x'.repeat(300)}`, 'BAD_REQUEST'],
  ])('%s %s is refused with %s', async (command, path, code) => {
    const { errors, ...rest } = await ctl(command, path);
    expect([rest.code, errors]).toEqual([1, expect.stringContaining(`(${code})`)]);
  });

  it.each([
    ['/proc/interrupts', '1', 'EIO'],
    ['/proc/irq', '1', 'EISDIR'],
    ['/proc/irq/default_smp_affinity', 'zz', 'EINVAL'],
    ['/proc/irq/default_smp_affinity', '1,00000001', 'EOVERFLOW'],
    ['/sys/kernel/irq/1/type', 'level', 'EACCES'],
    ['/proc/irq/default_smp_affinity', '1'.repeat(5_000), 'BAD_REQUEST'],
  ])('writing %s is refused with %s as the kernel does', async (path, text, code) => {
    expect((await ctl('write', path, text)).errors).toContain(`(${code})`);
  });

  it('whatever is asked for is answered, and never as a fault of the daemon', async () => {
    const name = fc.oneof(fc.constantFrom('proc', 'irq', 'sys', '..', '.', '', '%', '%00', 'interrupts'), fc.string());
    await fc.assert(
      fc.asyncProperty(fc.array(name, { maxLength: 6 }), fc.boolean(), async (names, write) => {
        const route = `/v1/files/${names.map(encodeURIComponent).join('/')}`;
        const answer = write ? client.call('PUT', route, { text: 'x' }) : client.call('GET', route);
        const code = await answer.then(
          () => 'done',
          (error: { code: string }) => error.code,
        );
        expect(code).not.toMatch(/INTERNAL|BAD_ANSWER/);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the views', () => {
  it('show softirqs, by CPU', async () => {
    const { output } = await ctl('softirqs');
    expect(output).toBe((await ctl('cat', '/proc/softirqs')).output);
    expect(output).toMatch(/^ +CPU0 +CPU1 +\n +HI: +0 +0\n/);
    const { softirqs } = JSON.parse((await ctl('softirqs', '--json')).output);
    expect(softirqs[0]).toEqual({ name: 'HI', counts: [0, 0] });
  });

  it('show workqueues and what they have done', async () => {
    const { machine } = service;
    machine.runTask(() => {
      const wq = allocWorkqueue('slow', WQ_UNBOUND | WQ_HIGHPRI, 2);
      queueWork(wq, new Work(() => undefined));
    });
    machine.advance(10_000_000);
    const { output } = await ctl('workqueues');
    expect(output).toMatch(/^NAME +FLAGS +MAX_ACTIVE +ACTIVE +WAITING +STARTED +COMPLETED\n/);
    expect(output).toMatch(/\nslow +UNBOUND,HIGHPRI +2 +0 +0 +1 +1\n/);
    const { workqueues } = JSON.parse((await ctl('workqueues', '--json')).output);
    expect(workqueues).toContainEqual(expect.objectContaining({ name: 'slow', maxActive: 2, completed: 1 }));
  });

  it('show tasks as ps does', async () => {
    const { output } = await ctl('ps');
    expect(output).toMatch(/^ +PID CLS RTPRIO +NI PSR STAT COMMAND\n/);
    expect(output).toContain(' ksoftirqd/1\n');
    const { tasks } = JSON.parse((await ctl('ps', '--json')).output);
    expect(tasks).toContainEqual(expect.objectContaining({ comm: 'ksoftirqd/0', policy: 'SCHED_NORMAL' }));
  });

  it.each([
    ['GET', '/v1/irqs/x', 'BAD_REQUEST'],
    ['GET', '/v1/irqs/99999999999', 'BAD_REQUEST'],
    ['GET', '/v1/irqs/4294967295', 'EINVAL'],
    ['POST', '/v1/irqs/1/mask', 'NOT_FOUND'],
    ['PUT', '/v1/irqs/1/affinity', 'BAD_REQUEST'],
  ] as const)('%s %s is refused with %s', async (method, route, code) => {
    await expect(client.call(method, route)).rejects.toMatchObject({ code });
  });

  it('a body where none belongs is refused', async () => {
    await expect(client.call('POST', `/v1/irqs/${irq}/disable`, { twice: true })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    });
    expect(service.model.irq(irq).depth).toBe(0);
  });
});
