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
/** The timer's: {@link IRQF_NO_SUSPEND} and {@link IRQF_NO_THREAD} with it. */
export const __IRQF_TIMER = 0x200;
export const IRQF_PERCPU = 0x400;
export const IRQF_NOBALANCING = 0x800;
export const IRQF_IRQPOLL = 0x1000;
export const IRQF_ONESHOT = 0x2000;
export const IRQF_NO_SUSPEND = 0x4000;
export const IRQF_FORCE_RESUME = 0x8000;
export const IRQF_NO_THREAD = 0x1_0000;
export const IRQF_EARLY_RESUME = 0x2_0000;
export const IRQF_COND_SUSPEND = 0x4_0000;
export const IRQF_NO_AUTOEN = 0x8_0000;
export const IRQF_NO_DEBUG = 0x10_0000;
/** Takes ONESHOT on if the line has it already. */
export const IRQF_COND_ONESHOT = 0x20_0000;
export const IRQF_TIMER = __IRQF_TIMER | IRQF_NO_SUSPEND | IRQF_NO_THREAD;

/** Status flags of a line, set with irq_set_status_flags (include/linux/irq.h). */
export const IRQ_LEVEL = 1 << 8;
export const IRQ_PER_CPU = 1 << 9;
export const IRQ_NOPROBE = 1 << 10;
export const IRQ_NOREQUEST = 1 << 11;
/** A request does not enable the line, enable_irq does. */
export const IRQ_NOAUTOEN = 1 << 12;
export const IRQ_NO_BALANCING = 1 << 13;
/** The chip can move the line at any time, also where moves wait for the line's next interrupt (x86). */
export const IRQ_MOVE_PCNTXT = 1 << 14;
export const IRQ_NESTED_THREAD = 1 << 15;
export const IRQ_NOTHREAD = 1 << 16;
export const IRQ_PER_CPU_DEVID = 1 << 17;
export const IRQ_IS_POLLED = 1 << 18;
/** Masked at once when it is disabled, also by a chip without `disable`. */
export const IRQ_DISABLE_UNLAZY = 1 << 19;
export const IRQ_HIDDEN = 1 << 20;
export const IRQ_NO_DEBUG = 1 << 21;
/** Those that irq_modify_status may touch, with the trigger type. */
export const IRQF_MODIFY_MASK = 0x1f_ff0f;

/** What a chip is like (enum in include/linux/irq.h). */
export const IRQCHIP_SET_TYPE_MASKED = 1 << 0;
export const IRQCHIP_EOI_IF_HANDLED = 1 << 1;
export const IRQCHIP_MASK_ON_SUSPEND = 1 << 2;
export const IRQCHIP_ONOFFLINE_ENABLED = 1 << 3;
export const IRQCHIP_SKIP_SET_WAKE = 1 << 4;
/** Needs no masking between primary and thread, so threads without a primary need no ONESHOT. */
export const IRQCHIP_ONESHOT_SAFE = 1 << 5;
export const IRQCHIP_EOI_THREADED = 1 << 6;
export const IRQCHIP_ENABLE_WAKEUP_ON_SUSPEND = 1 << 9;
/** The CPUs of a line are chosen before it is started, not after. */
export const IRQCHIP_AFFINITY_PRE_STARTUP = 1 << 10;

/** What a chip's setType may answer: the line's type is set already (include/linux/irq.h). */
export const IRQ_SET_MASK_OK_NOCOPY = 1;

/** States of a line in its controller (enum irqchip_irq_state). */
export const IRQCHIP_STATE_PENDING = 0;
export const IRQCHIP_STATE_ACTIVE = 1;
export const IRQCHIP_STATE_MASKED = 2;
export const IRQCHIP_STATE_LINE_LEVEL = 3;

/** What request_any_context_irq found: the handler runs in a hard interrupt, or in the thread of the line's parent. */
export const IRQC_IS_HARDIRQ = 0;
export const IRQC_IS_NESTED = 1;

/** An interrupt number that stands for "not wired" (include/linux/interrupt.h): a request of it is refused with ENOTCONN. */
export const IRQ_NOTCONNECTED = 0x8000_0000;
