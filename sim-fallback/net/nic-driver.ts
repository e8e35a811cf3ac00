// Two drivers for the network card: one that polls with NAPI, and one that takes an interrupt for each packet, to compare.
import {
  type Atomic,
  type Coroutine,
  freeIrq,
  IRQ_HANDLED,
  IRQ_NONE,
  type IrqReturn,
  ktimeGet,
  NapiStruct,
  NetDevice,
  napiCompleteDone,
  napiDisable,
  napiEnable,
  napiSchedule,
  ndelay,
  netifNapiAdd,
  netifNapiDel,
  requestIrq,
} from '../../kernel/index.js';
import { INT_CAUSE, INT_DISABLE, INT_ENABLE, INT_RX, type Nic, RX_HEAD, RX_TAIL } from './nic.js';

/** Time that the CPU needs, which the model would not take by itself: round numbers, as of a small computer. */
const INTERRUPT_NS = 2_000;
const PACKET_NS = 1_000;

export interface NicDriverOptions {
  /** To get into the handler and out again; default 2 µs. */
  readonly interruptNs?: number;
  /** To handle a packet; default 1 µs. */
  readonly packetNs?: number;
}

/** What both drivers share: the line, the ring, and counts. */
abstract class NicDriver {
  /** Packets handled, interrupts taken, and ns from arrival to handling, over all packets. */
  packets = 0;
  interrupts = 0;
  waitedNs = 0;
  protected readonly nic: Nic;
  protected readonly interruptNs: number;
  readonly #irq: number;
  readonly #packetNs: number;
  /** The descriptor that is handled next. */
  #next = 0;

  constructor(nic: Nic, irq: number, { interruptNs = INTERRUPT_NS, packetNs = PACKET_NS }: NicDriverOptions = {}) {
    this.nic = nic;
    this.#irq = irq;
    this.interruptNs = interruptNs;
    this.#packetNs = packetNs;
  }

  /** Takes the line and lets packets in (ndo_open). Process context. */
  *open(): Coroutine<void> {
    yield* requestIrq(this.#irq, () => this.handler(), 0, 'eth0', this);
    this.nic.write32(INT_ENABLE, INT_RX);
  }

  /** Lets no packets in any more, and gives the line back (ndo_stop). Process context. */
  *stop(): Coroutine<void> {
    this.nic.write32(INT_DISABLE, INT_RX);
    yield* freeIrq(this.#irq, this);
  }

  protected abstract handler(): Atomic<IrqReturn>;

  /** A packet waits in the ring. */
  protected get waiting(): boolean {
    return this.nic.read32(RX_HEAD) !== this.#next;
  }

  /** Handles one packet and gives its descriptor back. */
  protected *receive(): Coroutine<void> {
    yield* ndelay(this.#packetNs);
    this.waitedNs += ktimeGet() - (this.nic.stampsNs[this.#next] ?? 0);
    this.packets++;
    this.nic.write32(RX_TAIL, this.#next);
    this.#next = this.#next + 1 === this.nic.ringSize ? 0 : this.#next + 1;
  }
}

/** Handles each packet in the hard interrupt: at a rate that fills the CPU nothing else runs there any more. */
export class InterruptNicDriver extends NicDriver {
  protected override *handler(): Coroutine<IrqReturn> {
    if ((this.nic.read32(INT_CAUSE) & INT_RX) === 0) return IRQ_NONE;
    this.interrupts++;
    yield* ndelay(this.interruptNs);
    yield* this.receive();
    // As long as there is more the line stays up, and the next interrupt follows at once.
    if (!this.waiting) this.nic.write32(INT_CAUSE, INT_RX);
    return IRQ_HANDLED;
  }
}

/** Has the first packet interrupt, and polls until there is no more. */
export class NapiNicDriver extends NicDriver {
  readonly dev = new NetDevice('eth0');
  readonly napi = new NapiStruct();

  override *open(): Coroutine<void> {
    netifNapiAdd(this.dev, this.napi, (_, budget) => this.#poll(budget));
    napiEnable(this.napi);
    yield* super.open();
  }

  override *stop(): Coroutine<void> {
    yield* napiDisable(this.napi);
    yield* netifNapiDel(this.napi);
    yield* super.stop();
  }

  protected override *handler(): Coroutine<IrqReturn> {
    if ((this.nic.read32(INT_CAUSE) & INT_RX) === 0) return IRQ_NONE;
    this.interrupts++;
    this.nic.write32(INT_DISABLE, INT_RX);
    yield* ndelay(this.interruptNs);
    napiSchedule(this.napi);
    return IRQ_HANDLED;
  }

  *#poll(budget: number): Coroutine<number> {
    let done = 0;
    // The cause is cleared before each look: what arrives behind the last one sets it again.
    this.nic.write32(INT_CAUSE, INT_RX);
    while (done < budget && this.waiting) {
      yield* this.receive();
      done++;
      this.nic.write32(INT_CAUSE, INT_RX);
    }
    if (done < budget && napiCompleteDone(this.napi, done)) this.nic.write32(INT_ENABLE, INT_RX);
    return done;
  }
}
