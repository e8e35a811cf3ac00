// The model, as it is imported from outside: kernel functions under their kernel names, and the machine they run on.
export * from './base/device.js';
export {
  type DevmAction,
  devmAddAction,
  devmAddActionOrReset,
  devmReleaseAction,
  devmRemoveAction,
  devresCloseGroup,
  devresOpenGroup,
  devresReleaseGroup,
  devresRemoveGroup,
} from './base/devres.js';
export * from './base/platform.js';
export * from './errno.js';
export type { FileOps, FileStat, FileTree } from './fs/file-tree.js';
export * from './gpio/consumer.js';
export * from './gpio/driver.js';
export * from './gpio/edge-domain.js';
export type { EdgeInfo } from './gpio/edge-queue.js';
export {
  irqCanSetAffinity,
  irqForceAffinity,
  irqMoveIrq,
  irqMoveMaskedIrq,
  irqSetAffinity,
  irqSetAffinityAndHint,
  irqSetAffinityHint,
  irqUpdateAffinityHint,
} from './irq/affinity.js';
export * from './irq/affinity-notify.js';
export { chainedIrqEnter, chainedIrqExit } from './irq/chained-irq.js';
export type { LineChange } from './irq/chip-bus.js';
export * from './irq/devres.js';
export * from './irq/flags.js';
export * from './irq/flow.js';
export {
  genericHandleDomainIrq,
  genericHandleDomainIrqSafe,
  genericHandleIrq,
  genericHandleIrqSafe,
} from './irq/generic-handle.js';
export {
  type IrqState,
  irqGetIrqchipState,
  irqSetIrqchipState,
  irqState,
  stateOfLine,
} from './irq/irqchip-state.js';
export type { FlowHandler, IrqChip, IrqDesc, IrqHandler, IrqThreadFn } from './irq/irqdesc.js';
export * from './irq/irqdomain.js';
export {
  irqClearStatusFlags,
  irqModifyStatus,
  irqSetChainedHandler,
  irqSetChainedHandlerAndData,
  irqSetChip,
  irqSetChipAndHandler,
  irqSetChipData,
  irqSetHandler,
  irqSetHandlerData,
  irqSetHandlerLocked,
  irqSetIrqType,
  irqSetPercpuDevid,
  irqSetStatusFlags,
} from './irq/line-setup.js';
export {
  canRequestIrq,
  disableHardirq,
  disableIrq,
  disableIrqNosync,
  enableIrq,
  freeIrq,
  irqCheckStatusBit,
  irqHasAction,
  irqSetParent,
  irqWakeThread,
} from './irq/manage.js';
export { handleNestedIrq, irqSetNestedThread } from './irq/nested.js';
export {
  disablePercpuIrq,
  enablePercpuIrq,
  freePercpuIrq,
  irqPercpuIsEnabled,
  requestPercpuIrq,
} from './irq/percpu.js';
export {
  disableIrqWake,
  enableIrqWake,
  irqPmSyscoreResume,
  irqSetIrqWake,
  rearmWakeIrq,
  resumeDeviceIrqs,
  suspendDeviceIrqs,
} from './irq/pm.js';
export { showInterrupts } from './irq/proc.js';
export { requestAnyContextIrq, requestIrq, requestThreadedIrq } from './irq/request.js';
export { irqInjectInterrupt } from './irq/resend.js';
export { irqSetStormGuard, irqStormState, type StormLimits, type StormListener, type StormState } from './irq/storm.js';
export { synchronizeHardirq, synchronizeIrq } from './irq/synchronize.js';
export { irqdSetTriggerType, irqGetTriggerType } from './irq/trigger.js';
export * from './lib/atomic.js';
export * from './lib/bitops.js';
export { cpulistParse, cpulistPr, cpumaskParse, cpumaskPr } from './lib/cpumask.js';
export {
  IRQ_POLL_F_DISABLE,
  IRQ_POLL_F_SCHED,
  IrqPoll,
  type IrqPollFn,
  irqPollComplete,
  irqPollDisable,
  irqPollEnable,
  irqPollInit,
  irqPollSched,
} from './lib/irq-poll.js';
export * from './lib/percpu.js';
export * from './locking/mutex.js';
export * from './locking/rwlock.js';
export * from './locking/semaphore.js';
export * from './locking/spinlock.js';
export * from './machine.js';
export * from './machine-options.js';
export { NetDevice } from './net/device.js';
export * from './net/napi.js';
export type { Net, SoftnetData } from './net/softnet.js';
export { setFreezable, tryToFreeze } from './power/freezer.js';
export { PM_SUSPEND_MEM, PM_SUSPEND_STANDBY, PM_SUSPEND_TO_IDLE, pmSuspend } from './power/suspend.js';
export {
  pmSystemCancelWakeup,
  pmSystemWakeup,
  pmWakeupClear,
  pmWakeupIrq,
  pmWakeupPending,
} from './power/wakeup.js';
export { afterOutcome, finishOutcome } from './sched/atomic.js';
export * from './sched/completion.js';
export * from './sched/core.js';
export { type Atomic, type Coroutine, DONE, type Outcome, type Process } from './sched/coroutine.js';
export type { Cpu } from './sched/cpu.js';
export type { CpuTimes } from './sched/cputime.js';
export {
  context,
  current,
  inAtomic,
  inHardirq,
  inInterrupt,
  inServingSoftirq,
  inSoftirq,
  inTask,
  irqsDisabled,
  preemptCount,
  preemptible,
  runningCpu,
  smpProcessorId,
  thisCpu,
} from './sched/current.js';
export { type AsyncContext, type Effect, provideAsyncContext } from './sched/effect.js';
export * from './sched/kthread.js';
export { kthreadCompleteAndExit } from './sched/kthread-exit.js';
export * from './sched/preempt.js';
export { showTasks, type TaskInfo, taskList } from './sched/ps.js';
export * from './sched/signal.js';
export {
  TASK_IDLE,
  TASK_INTERRUPTIBLE,
  TASK_KILLABLE,
  TASK_NORMAL,
  TASK_RUNNING,
  TASK_UNINTERRUPTIBLE,
  type Task,
} from './sched/task.js';
export * from './sched/wait.js';
export * from './sched/wait-variants.js';
export { wakeUpProcess } from './sched/wakeup.js';
export * from './smp/call-function.js';
export * from './smp/ipi.js';
export {
  __raiseSoftirqIrqoff,
  _localBhEnable,
  localBhDisable,
  localBhEnable,
  localSoftirqPending,
  openSoftirq,
  raiseSoftirq,
  raiseSoftirqIrqoff,
  showSoftirqs,
} from './softirq/softirq.js';
export * from './softirq/tasklet.js';
export {
  BLOCK_SOFTIRQ,
  HI_SOFTIRQ,
  HRTIMER_SOFTIRQ,
  IRQ_POLL_SOFTIRQ,
  NET_RX_SOFTIRQ,
  NET_TX_SOFTIRQ,
  NR_SOFTIRQS,
  RCU_SOFTIRQ,
  SCHED_SOFTIRQ,
  SOFTIRQ_NAMES,
  type SoftirqAction,
  type SoftirqVectors,
  TASKLET_SOFTIRQ,
  TIMER_SOFTIRQ,
} from './softirq/vectors.js';
export { type Alarm, type Clock, type HostTime, MonotonicClock, VirtualClock } from './time/clock.js';
export * from './time/delay.js';
export {
  HRTIMER_MODE_ABS,
  HRTIMER_MODE_ABS_HARD,
  HRTIMER_MODE_ABS_PINNED,
  HRTIMER_MODE_ABS_SOFT,
  HRTIMER_MODE_HARD,
  HRTIMER_MODE_PINNED,
  HRTIMER_MODE_REL,
  HRTIMER_MODE_REL_HARD,
  HRTIMER_MODE_REL_PINNED,
  HRTIMER_MODE_REL_SOFT,
  HRTIMER_MODE_SOFT,
  HRTIMER_NORESTART,
  HRTIMER_RESTART,
  Hrtimer,
  type HrtimerFn,
  hrtimerActive,
  hrtimerCallbackRunning,
  hrtimerCancel,
  hrtimerForward,
  hrtimerForwardNow,
  hrtimerGetExpires,
  hrtimerGetRemaining,
  hrtimerGetSoftexpires,
  hrtimerIsQueued,
  hrtimerRestart,
  hrtimerSetExpires,
  hrtimerStart,
  hrtimerStartExpires,
  hrtimerStartRangeNs,
  hrtimerTryToCancel,
  ktimeGet,
} from './time/hrtimer.js';
export {
  DEFAULT_HZ,
  getJiffies64,
  HZ,
  type Hz,
  jiffies,
  jiffiesToMsecs,
  jiffiesToNsecs,
  jiffiesToUsecs,
  MAX_JIFFY_OFFSET,
  MAX_SCHEDULE_TIMEOUT,
  msecsToJiffies,
  nsecsToJiffies,
  roundJiffies,
  roundJiffiesRelative,
  roundJiffiesUp,
  roundJiffiesUpRelative,
  timeAfter,
  timeAfterEq,
  timeBefore,
  timeBeforeEq,
  timeInRange,
  timeInRangeOpen,
  usecsToJiffies,
} from './time/jiffies.js';
export * from './time/timeout.js';
export {
  addTimer,
  addTimerGlobal,
  addTimerLocal,
  addTimerOn,
  modTimer,
  modTimerPending,
  TIMER_DEFERRABLE,
  TIMER_IRQSAFE,
  TIMER_PINNED,
  type TimerFn,
  TimerList,
  timerDelete,
  timerDeleteSync,
  timerPending,
  timerReduce,
  timerShutdown,
  timerShutdownSync,
  tryToDelTimerSync,
} from './time/timer.js';
export {
  DURATION_BOUNDS_NS,
  DURATION_CONTEXTS,
  type DurationContext,
  type DurationCounts,
  Durations,
} from './trace/durations.js';
export * from './trace/ring.js';
export { renderTimeline, type TimelineOptions } from './trace/timeline.js';
export {
  allocWorkqueueAttrs,
  type WorkqueueAttrs,
  WQ_AFFN_CACHE,
  WQ_AFFN_CPU,
  WQ_AFFN_DFL,
  WQ_AFFN_NUMA,
  WQ_AFFN_SMT,
  WQ_AFFN_SYSTEM,
} from './workqueue/attrs.js';
export {
  cancelDelayedWork,
  cancelDelayedWorkSync,
  cancelWork,
  cancelWorkSync,
  disableDelayedWork,
  disableDelayedWorkSync,
  disableWork,
  disableWorkSync,
  enableAndQueueWork,
  enableDelayedWork,
  enableWork,
} from './workqueue/cancel.js';
export * from './workqueue/delayed.js';
export { destroyWorkqueue, drainWorkqueue } from './workqueue/drain.js';
export * from './workqueue/flags.js';
export { flushWork } from './workqueue/flush.js';
export { __flushWorkqueue, flushScheduledWork, flushWorkqueue } from './workqueue/flush-workqueue.js';
export * from './workqueue/freeze.js';
export {
  currentIsWorkqueueRescuer,
  currentWork,
  setWorkerDesc,
  workBusy,
  workqueueCongested,
  wqWorkerComm,
} from './workqueue/info.js';
export type { WorkerCreation } from './workqueue/manage.js';
export { executeInProcessContext, scheduleOnEachCpu, workOnCpu } from './workqueue/on-cpu.js';
export {
  queueWork,
  queueWorkNode,
  queueWorkOn,
  scheduleWork,
  scheduleWorkOn,
} from './workqueue/queue.js';
export { showAllWorkqueues, showFreezableWorkqueues, showOneWorkqueue } from './workqueue/show.js';
export {
  workqueueSetUnboundCpumask,
  workqueueSysfsRegister,
  workqueueUnboundExcludeCpumask,
} from './workqueue/sysfs.js';
export { applyWorkqueueAttrs } from './workqueue/unbound.js';
export { fromWork, OwnedWork, Work, type WorkFn, workPending } from './workqueue/work.js';
export {
  allocOrderedWorkqueue,
  allocWorkqueue,
  createFreezableWorkqueue,
  createSinglethreadWorkqueue,
  createWorkqueue,
  type Workqueue,
  workqueueSetMaxActive,
  workqueueSetMinActive,
} from './workqueue/workqueue.js';
