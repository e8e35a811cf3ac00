// Flags of workqueues and the limits of max_active (include/linux/workqueue.h).

/** Items run in softirq context, on the CPU where they were queued; alone or with WQ_HIGHPRI. */
export const WQ_BH = 1 << 0;
/** Workers are not bound to a CPU, and as many items run at once as max_active allows. */
export const WQ_UNBOUND = 1 << 1;
/** Takes part in suspend: its items are kept from running until the machine is awake again. */
export const WQ_FREEZABLE = 1 << 2;
/** Goes on when no worker can be made, by a thread of its own (the rescuer). */
export const WQ_MEM_RECLAIM = 1 << 3;
/** Workers of nice -20, with a pool of their own. */
export const WQ_HIGHPRI = 1 << 4;
/** Items that use the CPU for long: they keep no other item from starting. */
export const WQ_CPU_INTENSIVE = 1 << 5;
/** Shown under /sys/devices/virtual/workqueue. */
export const WQ_SYSFS = 1 << 6;
/** WQ_UNBOUND on a machine that was made with `wqPowerEfficient`. */
export const WQ_POWER_EFFICIENT = 1 << 7;
/** Bound to CPUs, as all queues are without WQ_UNBOUND; said to make it clear. */
export const WQ_PERCPU = 1 << 8;
/** Set by destroyWorkqueue. */
export const __WQ_DESTROYING = 1 << 15;
/** Set while drainWorkqueue waits: only its own items can queue. */
export const __WQ_DRAINING = 1 << 16;
/** One item at a time, in the order in which they were queued. */
export const __WQ_ORDERED = 1 << 17;
/** Made by one of the old creators. */
export const __WQ_LEGACY = 1 << 18;

/** What may go with WQ_BH. */
export const __WQ_BH_ALLOWS = WQ_BH | WQ_HIGHPRI;

/** The most that max_active may be. */
export const WQ_MAX_ACTIVE = 512;
export const WQ_UNBOUND_MAX_ACTIVE = WQ_MAX_ACTIVE;
/** max_active of a queue that asks for 0. */
export const WQ_DFL_ACTIVE = WQ_MAX_ACTIVE / 2;
/** Items of an unbound queue that can count on running at once, unless max_active is less. */
export const WQ_DFL_MIN_ACTIVE = 8;

/** As the CPU to queue on: the local one, or for an unbound queue any that is allowed. */
export const WORK_CPU_UNBOUND = 8192;

/** What workBusy answers, or-ed. */
export const WORK_BUSY_PENDING = 1 << 0;
export const WORK_BUSY_RUNNING = 1 << 1;

/** Flushes of one queue that can be told apart while they wait; further ones wait for one of these. */
export const WORK_NR_COLORS = 16;

/** Nice value of the workers of WQ_HIGHPRI and of rescuers. */
export const HIGHPRI_NICE_LEVEL = -20;
