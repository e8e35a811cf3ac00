// The platform bus: devices and drivers that find each other by name (drivers/base/platform.c).
import { KernelError } from '../errno.js';
import type { Machine } from '../machine.js';
import { mightSleep } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { queueWork } from '../workqueue/queue.js';
import { Work } from '../workqueue/work.js';
import { bindDriver, Device, type DeviceDriver, releaseDriver } from './device.js';

/** For a device that is the only one of its name (PLATFORM_DEVID_NONE). */
export const PLATFORM_DEVID_NONE = -1;

/** A driver of devices on the platform bus; it fits those that are called as it is. */
export type PlatformDriver = DeviceDriver<PlatformDevice>;

/** A device on the platform bus. Made by {@link platformDeviceRegister}. */
export class PlatformDevice extends Device {
  /** What a driver is found by. */
  readonly deviceName: string;
  readonly id: number;

  constructor(deviceName: string, id: number) {
    super(id === PLATFORM_DEVID_NONE ? deviceName : `${deviceName}.${id}`, 'platform');
    this.deviceName = deviceName;
    this.id = id;
  }
}

interface PlatformBus {
  readonly devices: Map<string, PlatformDevice>;
  readonly drivers: Map<string, PlatformDriver>;
  readonly deferred: DeferredProbes;
}

/** Devices whose probe is to be tried again: in a kworker, when another one has succeeded (drivers/base/dd.c). */
class DeferredProbes {
  readonly #machine: Machine;
  readonly #retry: (device: PlatformDevice) => Coroutine<void>;
  readonly #pending = new Set<PlatformDevice>();
  readonly #active = new Set<PlatformDevice>();
  readonly #work = new Work(() => this.#retryAll(), 'deferred_probe_work_func');
  /** Successes so far: one that comes during a probe may be what that probe has waited for. */
  triggers = 0;

  constructor(machine: Machine, retry: (device: PlatformDevice) => Coroutine<void>) {
    this.#machine = machine;
    this.#retry = retry;
  }

  add(device: PlatformDevice, triggersBefore: number): void {
    this.#pending.add(device);
    if (this.triggers !== triggersBefore) this.trigger();
  }

  delete(device: PlatformDevice): void {
    this.#pending.delete(device);
    this.#active.delete(device);
  }

  trigger(): void {
    this.triggers++;
    for (const device of this.#pending) this.#active.add(device);
    this.#pending.clear();
    queueWork(this.#machine.workqueues.systemUnboundWq, this.#work);
  }

  *#retryAll(): Coroutine<void> {
    for (let [device] = this.#active; device !== undefined; [device] = this.#active) {
      this.#active.delete(device);
      yield* this.#retry(device);
    }
  }
}

const buses = new WeakMap<Machine, PlatformBus>();

function platformBus(): PlatformBus {
  const { machine } = thisCpu();
  let bus = buses.get(machine);
  if (bus === undefined) {
    const made: PlatformBus = {
      devices: new Map(),
      drivers: new Map(),
      deferred: new DeferredProbes(machine, (device) => bindOnBus(made, device)),
    };
    bus = made;
    buses.set(machine, bus);
  }
  return bus;
}

function boundDriver(bus: PlatformBus, device: PlatformDevice): PlatformDriver | undefined {
  const driver = bus.drivers.get(device.deviceName);
  return driver !== undefined && device.driver === driver ? driver : undefined;
}

/** Binds a device to its driver, if that is there and has it not yet. */
function* bindOnBus({ drivers, deferred }: PlatformBus, device: PlatformDevice): Coroutine<void> {
  const driver = drivers.get(device.deviceName);
  if (driver === undefined || device.driver !== undefined) return;
  const { triggers } = deferred;
  const outcome = yield* bindDriver(device, driver);
  deferred.delete(device);
  if (outcome === 'bound') deferred.trigger();
  if (outcome === 'deferred') deferred.add(device, triggers);
}

/**
 * Registers a device, and binds its driver if that is there (platform_device_register). Process context. That a probe
 * fails is no error of the device: it is there without a driver.
 *
 * @throws KernelError EEXIST when there is one of that name
 */
export const platformDeviceRegister = effect(function* platformDeviceRegister(
  name: string,
  id: number = PLATFORM_DEVID_NONE,
): Coroutine<PlatformDevice> {
  mightSleep('platform_device_register');
  const bus = platformBus();
  const device = new PlatformDevice(name, id);
  if (bus.devices.has(device.name))
    throw new KernelError('EEXIST', `there is a platform device ${device.name} already`);
  bus.devices.set(device.name, device);
  yield* bindOnBus(bus, device);
  return device;
});

/** Takes a device from its driver and from the bus (platform_device_unregister). Process context. */
export const platformDeviceUnregister = effect(function* platformDeviceUnregister(device: PlatformDevice) {
  mightSleep('platform_device_unregister');
  const bus = platformBus();
  bus.deferred.delete(device);
  const driver = boundDriver(bus, device);
  if (driver !== undefined) yield* releaseDriver(device, driver);
  if (bus.devices.get(device.name) === device) bus.devices.delete(device.name);
});

/** Registers a driver, and binds it to all devices that it fits (platform_driver_register). Process context. `EBUSY` when there is one of that name. */
export const platformDriverRegister = effect(function* platformDriverRegister(driver: PlatformDriver) {
  mightSleep('platform_driver_register');
  const bus = platformBus();
  if (bus.drivers.has(driver.name)) {
    thisCpu().machine.printk('err', `Driver '${driver.name}' is already registered, aborting...`);
    throw new KernelError('EBUSY', `driver ${driver.name} is already registered`);
  }
  bus.drivers.set(driver.name, driver);
  for (const device of [...bus.devices.values()]) {
    if (device.deviceName === driver.name) yield* bindOnBus(bus, device);
  }
});

/** Takes a driver from all its devices and from the bus (platform_driver_unregister). Process context. */
export const platformDriverUnregister = effect(function* platformDriverUnregister(driver: PlatformDriver) {
  mightSleep('platform_driver_unregister');
  const bus = platformBus();
  if (bus.drivers.get(driver.name) !== driver) return;
  // The last one that was bound goes first.
  for (const device of [...bus.devices.values()].toReversed()) {
    if (device.driver === driver) yield* releaseDriver(device, driver);
  }
  bus.drivers.delete(driver.name);
});
