// Debounce by delayed work: the first edge disables the line; 20 ms later its level tells. See docs/debounce.md.

const SETTLE_MS = 20;

/** The buttons that are down, by their device: one module may serve several lines. */
const down = new WeakSet();

/** Hard interrupt context. */
export function topHalf(irq, dev) {
  const { disableIrqNosync, IRQ_HANDLED, msecsToJiffies, scheduleDelayedWork } = dev.kernel;
  disableIrqNosync(irq);
  scheduleDelayedWork(dev.work, msecsToJiffies(SETTLE_MS));
  return IRQ_HANDLED;
}

/** Process context, in a kworker. An edge that came meanwhile is kept, and comes again as soon as the line is enabled. */
export function work(_item, dev) {
  const { enableIrq, gpiodGetValue, gpiodToIrq } = dev.kernel;
  try {
    const pressed = gpiodGetValue(dev.line) === 1;
    if (pressed && !down.has(dev)) dev.log('pressed');
    if (pressed) down.add(dev);
    else down.delete(dev);
  } finally {
    // Also when the chip is away, and has no value to read: it will be back.
    enableIrq(gpiodToIrq(dev.line));
  }
}
