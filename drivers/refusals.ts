// What a driver cannot do is refused before anything is taken, and what a library throws becomes the kernel's error.
import { KernelError } from '../kernel/errno.js';
import type { EventClock, GpioCapabilities, LineConfig, LineRequestOptions } from '../kernel/gpio/driver.js';
import { systemError } from './chardev/errors.js';

const HINT = 'use driver: chardev, which can';

/**
 * Checks that a driver can do what a request asks for. Lines have passed `checkLines`.
 *
 * @throws {KernelError} `ENOTSUP` with the names of driver and capability.
 */
export function checkOptions(driver: string, capabilities: GpioCapabilities, options: LineRequestOptions): void {
  checkSettings(driver, capabilities, options.lines);
  if (options.eventBufferSize !== undefined && !capabilities.eventBufferSize) {
    refuse(driver, 'eventBufferSize', 'its FIFO cannot be sized');
  }
  if (options.eventClock !== undefined) checkClock(driver, capabilities, options.eventClock);
}

/** The part of {@link checkOptions} that counts for a reconfiguration as well. */
export function checkSettings(driver: string, capabilities: GpioCapabilities, lines: readonly LineConfig[]): void {
  for (const { offset, bias = 'as-is', debounceUs = 0, activeLow = false, drive = 'push-pull', initial } of lines) {
    if (bias !== 'as-is' && !capabilities.bias) {
      refuse(driver, 'bias', `line ${offset} asks for ${bias}`, 'use driver: chardev, or a resistor on the board');
    }
    if (debounceUs !== 0 && !capabilities.debounce)
      refuse(driver, 'debounce', `line ${offset} asks for ${debounceUs} µs`);
    if (activeLow && !capabilities.activeLow) refuse(driver, 'activeLow', `line ${offset} asks for it`);
    if (drive === 'open-drain' && !capabilities.openDrain) refuse(driver, 'openDrain', `line ${offset} asks for it`);
    if (drive === 'open-source' && !capabilities.openSource) refuse(driver, 'openSource', `line ${offset} asks for it`);
    if (initial === 'keep' && !capabilities.keepLevel) {
      refuse(driver, 'keepLevel', `line ${offset} asks for it`, 'use driver: chardev, or an initial level of 0 or 1');
    }
  }
}

function checkClock(driver: string, capabilities: GpioCapabilities, clock: EventClock): void {
  if (clock === 'realtime' && !capabilities.realtimeClock) {
    refuse(driver, 'realtimeClock', 'its stamps are of the monotonic clock');
  }
  if (clock === 'monotonic' && !capabilities.kernelTimestamps) {
    refuse(
      driver,
      'kernelTimestamps',
      'its stamps are taken in userspace',
      "use eventClock 'userspace', or driver: chardev",
    );
  }
  if (clock === 'userspace' && capabilities.kernelTimestamps) {
    refuse(driver, 'eventClock userspace', 'the kernel stamps the edges', "use 'monotonic'");
  }
}

/** Throws `ENOTSUP`: `driver` cannot do what `capability` names. */
export function refuse(driver: string, capability: string, why: string, hint: string = HINT): never {
  throw new KernelError('ENOTSUP', `${driver}: no ${capability}: ${why}`, { hint, subject: capability });
}

/** The error for what a library threw: a system error by its number, else `EIO` with the library's words. */
export function thrownError(operation: string, thrown: unknown, hint?: string, subject?: string): KernelError {
  if (thrown instanceof KernelError) return thrown;
  if (thrown instanceof Error && 'errno' in thrown && typeof thrown.errno === 'number') {
    return systemError(operation, thrown.errno, hint, subject);
  }
  const words = thrown instanceof Error ? thrown.message : String(thrown);
  return new KernelError('EIO', `${operation}: ${words}`, {
    cause: thrown,
    ...(hint === undefined ? {} : { hint }),
    ...(subject === undefined ? {} : { subject }),
  });
}
