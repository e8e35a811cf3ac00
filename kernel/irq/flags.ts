// Numbers of the interrupt API: IRQF_ flags, trigger types, handler results (include/linux/interrupt.h, irq.h, irqreturn.h).

/** Return values of a handler; shared actions' results are or-ed. */
export const IRQ_NONE: 0 = 0;
export const IRQ_HANDLED: 1 = 1;
export const IRQ_WAKE_THREAD: 2 = 2;
export type IrqReturn = 0 | 1 | 2 | 3;

/** Trigger types; also the lowest bits of the IRQF_ flags. */
export const IRQ_TYPE_NONE = 0x0;
export const IRQ_TYPE_EDGE_RISING = 0x1;
export const IRQ_TYPE_EDGE_FALLING = 0x2;
export const IRQ_TYPE_EDGE_BOTH = 0x3;
export const IRQ_TYPE_LEVEL_HIGH = 0x4;
export const IRQ_TYPE_LEVEL_LOW = 0x8;
export const IRQ_TYPE_LEVEL_MASK = 0xc;
export const IRQ_TYPE_SENSE_MASK = 0xf;

export const IRQF_TRIGGER_NONE = 0x0;
export const IRQF_TRIGGER_RISING = 0x1;
export const IRQF_TRIGGER_FALLING = 0x2;
export const IRQF_TRIGGER_HIGH = 0x4;
export const IRQF_TRIGGER_LOW = 0x8;
export const IRQF_TRIGGER_MASK = 0xf;
export const IRQF_SHARED = 0x80;
export const IRQF_PROBE_SHARED = 0x100;
export const IRQF_PERCPU = 0x400;
export const IRQF_ONESHOT = 0x2000;
export const IRQF_NO_SUSPEND = 0x4000;
export const IRQF_COND_SUSPEND = 0x4_0000;
export const IRQF_NO_AUTOEN = 0x8_0000;
/** Takes ONESHOT on if the line has it already. */
export const IRQF_COND_ONESHOT = 0x20_0000;

/** Status flag of a line: a request does not enable it, enable_irq does (include/linux/irq.h). */
export const IRQ_NOAUTOEN = 1 << 12;

/** An interrupt number that stands for "not wired" (include/linux/interrupt.h): a request of it is refused with ENOTCONN. */
export const IRQ_NOTCONNECTED = 0x8000_0000;
