// A handler module of the soak: all three contexts, and a sleep in two of them.

export function topHalf(_irq, dev) {
  dev.kernel.gpiodSetValue(dev.lines.out7, 1);
  return dev.kernel.IRQ_WAKE_THREAD;
}

export function* threadFn(_irq, dev) {
  yield* dev.kernel.msleep(1);
  dev.kernel.gpiodSetValue(dev.lines.out7, 0);
  dev.kernel.scheduleWork(dev.work);
  return dev.kernel.IRQ_HANDLED;
}

export async function work(item, dev) {
  await dev.kernel.msleep(1);
  dev.log(`${item.name} is done`);
}
