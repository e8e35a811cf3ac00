// The bell: strikes the gong for 100 ms, then does not hear the button for the rest of two seconds.

let deafUntil = 0;

export function topHalf(_irq, dev) {
  if (dev.edge.stampNs < deafUntil) return dev.kernel.IRQ_HANDLED;
  deafUntil = dev.edge.stampNs + 2e9;
  dev.kernel.gpiodSetValue(dev.lines.gong, 1);
  return dev.kernel.IRQ_WAKE_THREAD;
}

export function* threadFn(_irq, dev) {
  yield* dev.kernel.msleep(100);
  dev.kernel.gpiodSetValue(dev.lines.gong, 0);
  dev.log('somebody is at the door');
  return dev.kernel.IRQ_HANDLED;
}
