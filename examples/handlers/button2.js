// A handler module for button 2: puts the LED out at once, looks after 20 ms whether the button is still held, and
// does the rest later. See docs/handlers.md; handler-module.yaml uses it.

/** Hard interrupt context: short, never sleeps. */
export function topHalf(_irq, dev) {
  dev.kernel.gpiodSetValue(dev.lines.led1, 0);
  return dev.kernel.IRQ_WAKE_THREAD;
}

/** Process context, in irq/NN-name: a plain, generator or async function. */
export function* threadFn(_irq, dev) {
  yield* dev.kernel.msleep(20);
  dev.log(`still pressed: ${dev.kernel.gpiodGetValue(dev.line)}`);
  dev.kernel.scheduleWork(dev.work);
  return dev.kernel.IRQ_HANDLED;
}

/** Process context, in a kworker. */
export async function work(item, dev) {
  await dev.kernel.msleep(5);
  dev.log(`${item.name} is done`);
}
