// The interrupt of one requested line: the top half stamps an edge, the thread numbers it and hands it on.
import {
  type Coroutine,
  freeIrq,
  IRQ_HANDLED,
  IRQ_TYPE_EDGE_BOTH,
  IRQ_TYPE_EDGE_FALLING,
  IRQ_TYPE_EDGE_RISING,
  IRQ_TYPE_NONE,
  IRQ_WAKE_THREAD,
  IRQF_ONESHOT,
  type IrqReturn,
  type LineConfig,
  type Machine,
  requestThreadedIrq,
} from '../../kernel/index.js';
import type { PinctrlBcm2835 } from './pinctrl-bcm2835.js';

/** What the edges of a line need around them. */
export interface EdgeTaker {
  readonly machine: Machine;
  readonly pinctrl: PinctrlBcm2835;
  /** Shown in /proc/interrupts. */
  readonly label: string;
  /** Numbers an edge over all lines of the request. In the top half. */
  nextSeqno(): number;
  /** Takes an edge. In the interrupt's thread; allocates nothing. */
  push(offset: number, rising: boolean, stampNs: number, seqno: number, lineSeqno: number): void;
}

/** Trigger type for the edges that a line is to report: the hardware sees them before polarity. */
export function triggerOf({ edge = 'none', activeLow = false }: LineConfig): number {
  if (edge === 'none') return IRQ_TYPE_NONE;
  if (edge === 'both') return IRQ_TYPE_EDGE_BOTH;
  return (edge === 'rising') !== activeLow ? IRQ_TYPE_EDGE_RISING : IRQ_TYPE_EDGE_FALLING;
}

/**
 * Edges of one line, as `edge_irq_handler` and `edge_irq_thread` of drivers/gpio/gpiolib-cdev.c report them: edges that
 * come before the thread has run are one event, with the stamp of the last; with both edges the thread reads the level.
 */
export class LineEdges {
  readonly #taker: EdgeTaker;
  readonly #offset: number;
  #activeLow = false;
  /** Trigger type that was asked for, and the one that the interrupt is requested with; 0 for none. */
  #wanted = IRQ_TYPE_NONE;
  #requested = IRQ_TYPE_NONE;
  #stampNs = 0;
  #seqno = 0;
  #lineSeqno = 0;

  constructor(taker: EdgeTaker, offset: number) {
    this.#taker = taker;
    this.#offset = offset;
  }

  /** Sets what is to be reported from now on; true when {@link converge} has something to do for it. */
  want(config: LineConfig): boolean {
    this.#activeLow = config.activeLow ?? false;
    this.#wanted = triggerOf(config);
    return this.#wanted !== this.#requested;
  }

  /** Requests or frees the interrupt until it is as wanted, whatever others ask for meanwhile. Process context. */
  *converge(): Coroutine<void> {
    const { pinctrl, label } = this.#taker;
    while (this.#requested !== this.#wanted) {
      const irq = pinctrl.toIrq(this.#offset);
      if (this.#requested !== IRQ_TYPE_NONE) {
        this.#requested = IRQ_TYPE_NONE;
        yield* freeIrq(irq, this);
      } else {
        const type = this.#wanted;
        yield* requestThreadedIrq(irq, this.#topHalf, this.#thread, type | IRQF_ONESHOT, label, this);
        this.#requested = type;
      }
    }
  }

  readonly #topHalf = (): IrqReturn => {
    this.#stampNs = this.#taker.machine.clock.now();
    this.#seqno = this.#taker.nextSeqno();
    return IRQ_WAKE_THREAD;
  };

  readonly #thread = (): IrqReturn => {
    if (this.#wanted === IRQ_TYPE_NONE) return IRQ_HANDLED;
    const electrical =
      this.#requested === IRQ_TYPE_EDGE_BOTH
        ? this.#taker.pinctrl.level(this.#offset) === 1
        : this.#requested === IRQ_TYPE_EDGE_RISING;
    this.#lineSeqno = (this.#lineSeqno + 1) >>> 0;
    this.#taker.push(this.#offset, electrical !== this.#activeLow, this.#stampNs, this.#seqno, this.#lineSeqno);
    return IRQ_HANDLED;
  };
}
