import { describe, expect, it } from 'vitest';
import { KernelError } from '../errno.js';
import { Machine } from '../machine.js';
import type { Process } from '../sched/coroutine.js';
import { msleep } from '../time/delay.js';
import { Device, devErrProbe, devInfo, devWarn } from './device.js';
import { devmAddAction } from './devres.js';
import {
  type PlatformDevice,
  type PlatformDriver,
  platformDeviceRegister,
  platformDeviceUnregister,
  platformDriverRegister,
  platformDriverUnregister,
} from './platform.js';

function bus() {
  const printed: string[] = [];
  const oopses: string[] = [];
  const log: string[] = [];
  const machine = new Machine({
    printk: (level, text) => printed.push(`${level}: ${text}`),
    onOops: (where) => oopses.push(where),
  });
  const driver = (name: string, more: Partial<PlatformDriver> = {}): PlatformDriver => ({
    name,
    probe: (dev) => void log.push(`${name} probes ${dev.name}`),
    remove: (dev) => void log.push(`${name} removes ${dev.name}`),
    ...more,
  });
  const run = <R>(body: () => Process<R>): R => machine.runTask(body);
  const taken = (): string[] => log.splice(0);
  return { machine, printed, oopses, log, driver, run, taken };
}

describe('devices and drivers', () => {
  it('find each other by name, whoever comes first', () => {
    const { run, driver, taken } = bus();
    const first = run(() => platformDeviceRegister('button', 0));
    expect(first.driver).toBeUndefined();
    const button = driver('button');
    run(() => platformDriverRegister(button));
    const second = run(() => platformDeviceRegister('button', 1));
    run(() => platformDeviceRegister('led'));
    expect(taken()).toEqual(['button probes button.0', 'button probes button.1']);
    expect([first.driver, second.driver]).toEqual([button, button]);
  });

  it('part when either goes, the driver with the newest device first', () => {
    const { run, driver, taken } = bus();
    const button = driver('button');
    run(() => platformDriverRegister(button));
    const devices = [0, 1, 2].map((id) => run(() => platformDeviceRegister('button', id)));
    taken();
    run(() => platformDeviceUnregister(devices[1] as PlatformDevice));
    run(() => platformDriverUnregister(button));
    expect(taken()).toEqual(['button removes button.1', 'button removes button.2', 'button removes button.0']);
    expect(devices.map((device) => device.driver)).toEqual([undefined, undefined, undefined]);
    run(() => platformDriverRegister(button));
    expect(taken()).toEqual(['button probes button.0', 'button probes button.2']);
  });

  it('keep one of a name', () => {
    const { run, driver, printed } = bus();
    run(() => platformDeviceRegister('button'));
    expect(() => run(() => platformDeviceRegister('button'))).toThrow('there is a platform device button already');
    run(() => platformDriverRegister(driver('button')));
    expect(() => run(() => platformDriverRegister(driver('button')))).toThrow(KernelError);
    expect(printed).toEqual(["err: Driver 'button' is already registered, aborting..."]);
  });

  it("keep the driver's data while they are bound", () => {
    const { run, driver } = bus();
    const probe = (dev: PlatformDevice): void => {
      dev.driverData = 'mine';
    };
    const button = driver('button', { probe });
    run(() => platformDriverRegister(button));
    const device = run(() => platformDeviceRegister('button'));
    expect(device.driverData).toBe('mine');
    run(() => platformDriverUnregister(button));
    expect(device.driverData).toBeUndefined();
  });
});

describe('a probe that fails', () => {
  it('leaves the device without a driver, says so, and releases what was managed', () => {
    const { run, driver, printed, log, taken } = bus();
    const probe = function* (dev: PlatformDevice) {
      devmAddAction(dev, (name: string) => log.push(name), 'released');
      yield* msleep(1);
      throw new KernelError('EIO', 'no answer');
    };
    run(() => platformDriverRegister(driver('odevm', { probe })));
    const device = run(() => platformDeviceRegister('odevm', 0));
    expect(taken()).toEqual(['released']);
    expect(device.driver).toBeUndefined();
    // Recorded from Linux 6.12 (18-devm-order).
    expect(printed).toEqual(['err: odevm odevm.0: probe with driver odevm failed with error -5']);
  });

  it.each(['ENODEV', 'ENXIO'] as const)('with %s only does not fit', (code) => {
    const { run, driver, printed } = bus();
    const probe = (): never => {
      throw new KernelError(code, 'not mine');
    };
    run(() => platformDriverRegister(driver('odevm', { probe })));
    expect(run(() => platformDeviceRegister('odevm')).driver).toBeUndefined();
    expect(printed).toEqual([]);
  });

  it('with an exception of its own is an oops', () => {
    const { run, driver, printed, oopses } = bus();
    const probe = (): never => {
      throw new Error('bug');
    };
    run(() => platformDriverRegister(driver('odevm', { probe })));
    run(() => platformDeviceRegister('odevm', 0));
    expect(oopses).toEqual(['probe of odevm.0']);
    expect(printed).toEqual(['err: odevm odevm.0: probe with driver odevm failed with error -14']);
  });
});

describe('a probe that is deferred', () => {
  /** A driver that waits for its supplier, and one that is it. */
  function supplied() {
    const made = bus();
    const { driver, log } = made;
    let there = false;
    const consumer = driver('consumer', {
      probe: (dev) => {
        log.push('consumer probes');
        devmAddAction(dev, () => log.push('released'), undefined);
        if (!there) throw devErrProbe(dev, new KernelError('EPROBE_DEFER', 'no supplier'), 'not there yet');
      },
    });
    const supplier = driver('supplier', {
      probe: () => {
        there = true;
      },
    });
    return { ...made, consumer, supplier };
  }

  it('is tried again in a kworker when another device has got its driver', () => {
    const { machine, run, consumer, supplier, printed, taken } = supplied();
    run(() => platformDriverRegister(consumer));
    const device = run(() => platformDeviceRegister('consumer'));
    expect(taken()).toEqual(['consumer probes', 'released']);
    run(() => platformDriverRegister(supplier));
    expect(device.driver).toBeUndefined();
    run(() => platformDeviceRegister('supplier'));
    machine.advance(1_000_000);
    expect(taken()).toEqual(['consumer probes']);
    expect(device.driver).toBe(consumer);
    expect(printed).toEqual([]);
  });

  it('is not tried again when its device has gone', () => {
    const { machine, run, consumer, supplier, taken } = supplied();
    run(() => platformDriverRegister(consumer));
    const device = run(() => platformDeviceRegister('consumer'));
    run(() => platformDeviceUnregister(device));
    taken();
    run(() => platformDriverRegister(supplier));
    run(() => platformDeviceRegister('supplier'));
    machine.advance(1_000_000);
    expect(taken()).toEqual([]);
  });

  it('is tried again when what it waits for came while it was probing', () => {
    const { machine, run, driver, log, supplier, taken } = supplied();
    let tries = 0;
    const slow = driver('slow', {
      probe: function* () {
        tries++;
        log.push(`try ${tries}`);
        yield* msleep(10);
        if (tries === 1) throw new KernelError('EPROBE_DEFER', 'was not there when it looked');
      },
    });
    run(() => platformDriverRegister(slow));
    run(() => platformDriverRegister(supplier));
    machine.spawn('slow', () => platformDeviceRegister('slow'));
    machine.advance(1_000_000);
    run(() => platformDeviceRegister('supplier'));
    machine.advance(100_000_000);
    expect(taken()).toEqual(['try 1', 'try 2']);
  });
});

describe('a remove that throws', () => {
  it('is an oops, and what was managed is released all the same', () => {
    const { run, driver, oopses, log, taken } = bus();
    const button = driver('button', {
      probe: (dev) => devmAddAction(dev, (name: string) => log.push(name), 'released'),
      remove: () => {
        throw new Error('bug');
      },
    });
    run(() => platformDriverRegister(button));
    run(() => platformDeviceRegister('button'));
    run(() => platformDriverUnregister(button));
    expect(oopses).toEqual(['remove of button']);
    expect(taken()).toEqual(['released']);
  });
});

describe('the log of a device', () => {
  it('names driver and device, and without a driver the bus', () => {
    const { machine, printed, driver } = bus();
    const device = new Device('button.0', 'platform', machine);
    devInfo(device, 'alone');
    device.driver = driver('gpio-keys');
    devWarn(device, 'bound');
    expect(printed).toEqual(['info: platform button.0: alone', 'warning: gpio-keys button.0: bound']);
  });

  it('says why a probe fails, with the error by name, but not that there is no memory', () => {
    const { machine, printed } = bus();
    const device = new Device('button.0', 'platform', machine);
    const error = new KernelError('EBUSY', 'taken');
    expect(devErrProbe(device, error, 'failed to request irq')).toBe(error);
    devErrProbe(device, new KernelError('ENOMEM', ''), 'unseen');
    expect(printed).toEqual(['err: platform button.0: error -EBUSY: failed to request irq']);
  });
});
