// The Pi's adapter: its transfers on the simulated bus, with the results of drivers/i2c/busses/i2c-bcm2835.c.
import { Completion, type Coroutine, complete, KernelError, waitForCompletionTimeout } from '../../kernel/index.js';
import type { I2cBus, I2cOutcome } from '../i2c/bus.js';
import { I2C_M_RD, type I2cAdapter, type I2cAlgorithm, type I2cMsg } from './i2c-core.js';

/**
 * Transfers through a controller that moves the bytes by itself: the caller sleeps from the first START to the STOP. The
 * controller's registers are not there; its interrupt wakes the caller without passing the ARMCTRL.
 */
export class Bcm2835I2cAlgorithm implements I2cAlgorithm {
  readonly #bus: I2cBus;

  constructor(bus: I2cBus) {
    this.#bus = bus;
  }

  /**
   * @throws KernelError EREMOTEIO (an address or a byte was not acknowledged), ETIMEDOUT (no end within the adapter's timeout),
   *   ENOTSUP (a read that is not the last message, EOPNOTSUPP)
   */
  *xfer(adapter: I2cAdapter, msgs: readonly I2cMsg[]): Coroutine<number> {
    const name = `i2c-${adapter.nr}`;
    if (msgs.slice(0, -1).some(({ flags }) => (flags & I2C_M_RD) !== 0)) {
      const message = 'only one read message supported, has to be last';
      adapter.machine.printk('warning', `${name}: ${message}`);
      throw new KernelError('ENOTSUP', message, { subject: name });
    }
    const done = new Completion();
    let outcome: I2cOutcome | undefined;
    const parts = msgs.map(({ addr, flags, buf }) => ({
      address: addr,
      reading: (flags & I2C_M_RD) !== 0,
      bytes: buf,
    }));
    this.#bus.transfer(parts, (end) => {
      outcome = end;
      complete(done);
    });
    const left = yield* waitForCompletionTimeout(done, adapter.timeout);
    if (left === 0) {
      this.#bus.abort();
      throw new KernelError('ETIMEDOUT', `${name}: the transfer did not end`, {
        hint: 'a device holds the clock low',
        subject: name,
      });
    }
    if (outcome === 'done') return msgs.length;
    const subject = `0x${(msgs[0]?.addr ?? 0).toString(16)}`;
    throw new KernelError('EREMOTEIO', `${name}: ${subject} does not acknowledge`, {
      hint: 'is the device powered, and is it at this address?',
      subject,
    });
  }
}
