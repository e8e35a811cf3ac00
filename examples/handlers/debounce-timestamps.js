// Debounce by timestamps: a press is a rising edge after 50 ms without any edge. See docs/debounce.md.

const QUIET_NS = 50_000_000;

/** What is known of each button; one module may serve several lines. */
const buttons = new WeakMap();

function buttonOf(dev) {
  let button = buttons.get(dev);
  if (button === undefined) {
    button = { lastNs: Number.NEGATIVE_INFINITY, presses: 0 };
    buttons.set(dev, button);
  }
  return button;
}

/** Hard interrupt context. The stamp is the kernel's: it is right however late this runs. */
export function topHalf(_irq, dev) {
  const button = buttonOf(dev);
  const { rising, stampNs } = dev.edge;
  const quietNs = stampNs - button.lastNs;
  button.lastNs = stampNs;
  if (!rising || quietNs < QUIET_NS) return dev.kernel.IRQ_HANDLED;
  button.presses++;
  return dev.kernel.IRQ_WAKE_THREAD;
}

/** Process context: one wake-up may stand for several presses. */
export function threadFn(_irq, dev) {
  const button = buttonOf(dev);
  for (; button.presses > 0; button.presses--) dev.log('pressed');
  return dev.kernel.IRQ_HANDLED;
}
