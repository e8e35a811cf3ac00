// Triggers: what runs work besides edges. A schedule, a hook of the API, a message.
import { KernelError, type Work } from '../../kernel/index.js';
import { triggerOccasion } from '../actions/occasion.js';
import { hostTimer, type StartTimer } from '../bridge/bursts.js';
import type { ActionHost } from '../bridge/host.js';
import { OccasionWork } from '../bridge/occasion-work.js';
import type { TriggerSpec } from '../config/action-types.js';
import type { MqttPort } from '../mqtt/port.js';
import { cronTimes } from './cron.js';
import { Schedule } from './schedule.js';

/** What triggers need besides what actions do. */
export interface TriggerHost extends ActionHost {
  /** Runs a function in a task of the model. */
  call(body: () => void): Promise<void>;
  readonly onMessage: MqttPort['onMessage'];
  readonly startTimer?: StartTimer | undefined;
  onTrigger(name: string, by: TriggerSpec['by']): void;
  onWarning(name: string, text: string): void;
}

/** What came with a hook or a message. */
interface Came {
  readonly payload?: string;
  readonly topic?: string;
}

/** One trigger: its items, and how it is ended. */
interface Trigger {
  readonly spec: TriggerSpec;
  readonly items: readonly OccasionWork[];
  end: () => void;
}

/** All triggers, from their start to {@link end}. */
export class Triggers {
  readonly #host: TriggerHost;
  readonly #triggers: readonly Trigger[];

  /** Errors as {@link OccasionWork}'s, and those of a cron expression that is none. Nothing comes before {@link start}. */
  constructor(host: TriggerHost, specs: readonly TriggerSpec[]) {
    this.#host = host;
    this.#triggers = specs.map((spec) => ({
      spec,
      items: spec.work.map((work) => new OccasionWork({ host, name: spec.name }, work)),
      end: () => {},
    }));
  }

  /** Names of the hooks, in the order of the configuration. */
  get hooks(): readonly string[] {
    return this.#triggers.flatMap(({ spec }) => (spec.by === 'hook' ? [spec.hook] : []));
  }

  /** Work items that may be queued or running. */
  get works(): readonly Work[] {
    return this.#triggers.flatMap(({ items }) => items.map(({ work }) => work));
  }

  /** Schedules and messages come from now on. */
  start(): void {
    for (const trigger of this.#triggers) trigger.end = this.#begin(trigger);
  }

  /** Nothing comes any more; what no work item has begun with is forgotten. @returns how many */
  end(): number {
    let left = 0;
    for (const trigger of this.#triggers) {
      trigger.end();
      for (const item of trigger.items) left += item.cancel();
    }
    return left;
  }

  /** Runs what a hook sets off; resolves when that is queued. KernelError `ENOENT` for an unknown hook, `EAGAIN` when too many wait. */
  async hook(name: string, payload: string): Promise<void> {
    const trigger = this.#triggers.find(({ spec }) => spec.by === 'hook' && spec.hook === name);
    if (trigger === undefined) {
      const hint = this.hooks.length === 0 ? 'the configuration has none' : `there are ${this.hooks.join(', ')}`;
      throw new KernelError('ENOENT', `no hook ${name}`, { hint, subject: name });
    }
    const full = await this.#fire(trigger, { payload });
    if (full) throw new KernelError('EAGAIN', `hook ${name}: too many wait already`, { subject: name });
  }

  #begin(trigger: Trigger): () => void {
    const { spec } = trigger;
    if (spec.by === 'hook') return () => {};
    if (spec.by === 'mqtt') {
      return this.#host.onMessage(spec.topic, ({ topic, payload }) => this.#come(trigger, { topic, payload }));
    }
    const schedule = new Schedule({
      next: cronTimes(spec.schedule, spec.timezone),
      catchUp: spec.catchUp,
      wallMs: () => this.#host.wallMs(),
      startTimer: this.#host.startTimer ?? hostTimer,
      run: () => this.#come(trigger, {}),
      warn: (text) => this.#host.onWarning(spec.name, text),
    });
    return () => schedule.stop();
  }

  /** Nobody waits for the answer: an error is reported. */
  #come(trigger: Trigger, came: Came): void {
    const { name } = trigger.spec;
    this.#fire(trigger, came).then(
      (full) => {
        if (full) this.#host.onLimited(name, 1);
      },
      (error) => this.#host.onError(name, error),
    );
  }

  /** @returns whether a work item had no room for it */
  async #fire({ spec, items }: Trigger, came: Came): Promise<boolean> {
    const occasion = triggerOccasion(this.#host, spec.name, came);
    this.#host.onTrigger(spec.name, spec.by);
    let full = false;
    await this.#host.call(() => {
      for (const item of items) if (!item.add(occasion)) full = true;
    });
    return full;
  }
}
