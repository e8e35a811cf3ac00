// NET_RX softirq: the NAPI instances of one CPU, polled in turn within a budget of packets and of time (net/core/dev.c).
import { ListHead, listAddTail, listDelInit, listSpliceInit, listSpliceTailInit } from '../lib/list.js';
import type { Machine } from '../machine.js';
import { cutsOff } from '../sched/atomic.js';
import { DONE, type Outcome, SUSPENDED } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { thisCpu } from '../sched/current.js';
import { wakeUpProcess } from '../sched/wakeup.js';
import { NET_RX_SOFTIRQ } from '../softirq/vectors.js';
import { jiffiesOf, usecsToJiffies } from '../time/jiffies.js';
import { netdevPrintk } from './device.js';
import {
  NAPIF_STATE_SCHED,
  NAPIF_STATE_SCHED_THREADED,
  NAPIF_STATE_THREADED,
  type NapiStruct,
  napiComplete,
  napiDisablePending,
} from './napi.js';
import { createNetFiles } from './net-procfs.js';

const USEC_PER_SEC = 1_000_000;
/** Packets that one NET_RX softirq may handle, and jiffies that it may take. */
const NETDEV_BUDGET = 300;
const NETDEV_BUDGET_JIFFIES = 2;
/** Ids of instances are above the numbers of CPUs that a machine could have (MIN_NAPI_ID). */
const MIN_NAPI_ID = 9;

/** What waits to be polled on one CPU (struct softnet_data). */
export class SoftnetData {
  /** Times that the softirq ended with its budget used up. */
  timeSqueeze = 0;
  /** Packets that polls have handled. */
  processed = 0;
  /** The softirq is at work, and will look at {@link pollList} again by itself. */
  inNetRxAction = false;
  readonly pollList = new ListHead<NapiStruct>();
  readonly #cpu: Cpu;
  readonly #net: Net;
  /** Not polled yet in this softirq, and to be polled in the next one. */
  readonly #list = new ListHead<NapiStruct>();
  readonly #repoll = new ListHead<NapiStruct>();
  #budget = 0;
  #timeLimit = 0;

  constructor(cpu: Cpu, net: Net) {
    this.#cpu = cpu;
    this.#net = net;
  }

  /** Puts an instance behind the others; within the softirq itself it needs no raising. */
  add(napi: NapiStruct): void {
    listAddTail(napi.pollList, this.pollList);
    napi.listOwner = this.#cpu.id;
    if (!this.inNetRxAction) this.#cpu.softirqs.raise(NET_RX_SOFTIRQ);
  }

  /** The softirq (net_rx_action). Each instance is polled once; those that had more come behind the others next time. */
  action(): Outcome {
    const { machine } = this.#cpu;
    this.#timeLimit = jiffiesOf(machine) + usecsToJiffies(this.#net.netdevBudgetUsecs, machine.hz);
    this.#budget = this.#net.netdevBudget;
    this.#start();
    return this.#loop();
  }

  #start(): void {
    this.inNetRxAction = true;
    listSpliceInit(this.pollList, this.#list);
  }

  #loop(): Outcome {
    for (;;) {
      const napi = this.#list.first;
      if (napi === undefined) {
        if (!this.#repoll.empty) break;
        this.inNetRxAction = false;
        // Some may have been scheduled while that still was to be noticed here.
        if (this.pollList.empty) return DONE;
        this.#start();
        continue;
      }
      listDelInit(napi.pollList);
      if (this.#poll(napi) === SUSPENDED) return this.#deferRest();
      if (this.#spent()) break;
    }
    return this.#end();
  }

  /** On its own, since a closure in the loop would cost it an object a call. */
  #deferRest(): Outcome {
    return this.#cpu.defer(() => (this.#spent() ? this.#end() : this.#loop()));
  }

  #poll(napi: NapiStruct): Outcome {
    const where = 'NAPI poll function';
    let work: unknown = 0;
    if ((napi.state & NAPIF_STATE_SCHED) !== 0) {
      try {
        work = napi.poll(napi, napi.weight);
      } catch (error) {
        this.#cpu.machine.oops(where, error);
      }
      if (cutsOff(this.#cpu, where, work)) {
        return this.#cpu.suspend(work, (value, thrown) => {
          if (thrown) this.#cpu.machine.oops(where, value);
          return this.#polled(napi, thrown ? 0 : value);
        });
      }
    }
    return this.#polled(napi, work);
  }

  #polled(napi: NapiStruct, result: unknown): Outcome {
    const work = typeof result === 'number' ? result : 0;
    this.processed += work;
    this.#budget -= work;
    if (this.#net.afterPoll(napi, work)) listAddTail(napi.pollList, this.#repoll);
    return DONE;
  }

  #spent(): boolean {
    if (this.#budget > 0 && jiffiesOf(this.#cpu.machine) < this.#timeLimit) return false;
    this.timeSqueeze++;
    return true;
  }

  /** First those that were not polled, then those scheduled meanwhile, then those that had more. */
  #end(): Outcome {
    listSpliceTailInit(this.pollList, this.#list);
    listSpliceTailInit(this.#repoll, this.#list);
    listSpliceInit(this.#list, this.pollList);
    if (this.pollList.empty) this.inNetRxAction = false;
    else this.#cpu.softirqs.mark(NET_RX_SOFTIRQ);
    return DONE;
  }
}

/** Network reception of a machine. */
export class Net {
  /** Packets and microseconds for one NET_RX softirq (/proc/sys/net/core). */
  netdevBudget = NETDEV_BUDGET;
  netdevBudgetUsecs: number;
  /** By CPU. */
  readonly softnet: readonly SoftnetData[];
  readonly #machine: Machine;
  readonly #printed = new Set<string>();
  #lastNapiId = MIN_NAPI_ID - 1;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.netdevBudgetUsecs = (NETDEV_BUDGET_JIFFIES * USEC_PER_SEC) / machine.hz;
    this.softnet = machine.cpus.map((cpu) => new SoftnetData(cpu, this));
    machine.softirqs.open(NET_RX_SOFTIRQ, () => this.#rxAction());
    createNetFiles(machine, this);
  }

  /** Has a claimed instance polled: by its thread, or on this CPU (____napi_schedule). */
  schedule(napi: NapiStruct): void {
    if ((napi.state & NAPIF_STATE_THREADED) !== 0 && napi.thread !== undefined) {
      napi.state |= NAPIF_STATE_SCHED_THREADED;
      wakeUpProcess(napi.thread);
      return;
    }
    this.softnet[thisCpu().id]?.add(napi);
  }

  /** What becomes of an instance that was polled: true when it is to be polled again (__napi_poll). */
  afterPoll(napi: NapiStruct, work: number): boolean {
    const { weight, dev } = napi;
    if (work > weight && this.firstTime('budget')) {
      const poll = napi.poll.name === '' ? '?' : napi.poll.name;
      const text = `NAPI poll function ${poll} returned ${work}, exceeding its budget of ${weight}.`;
      netdevPrintk(this.#machine, dev, 'err', text);
    }
    if (work < weight) return false;
    if (napiDisablePending(napi)) {
      napiComplete(napi);
      return false;
    }
    if (napi.pollList.empty) return true;
    if (this.firstTime('rescheduled')) {
      this.#machine.printk('warning', `${dev?.name ?? 'backlog'}: Budget exhausted after napi rescheduled`);
    }
    return false;
  }

  /** True once for each message that the kernel prints once. */
  firstTime(what: string): boolean {
    if (this.#printed.has(what)) return false;
    this.#printed.add(what);
    return true;
  }

  nextNapiId(): number {
    return ++this.#lastNapiId;
  }

  #rxAction(): Outcome {
    return this.softnet[thisCpu().id]?.action() ?? DONE;
  }
}
