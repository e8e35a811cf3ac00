// Actions, and what sets them off besides edges: the configuration of both, checked and frozen.

import type { Level } from '../../kernel/gpio/driver.js';
import type { Template } from './template.js';

/** `rate` runs at once, and as many in each `perNs` over long, evenly. What is over is left out and counted. */
export interface RateLimit {
  readonly rate: number;
  readonly perNs: number;
}

/** What every action may have besides. */
interface Limited {
  readonly limit?: RateLimit | undefined;
}

/** What may be done in atomic context: line operations only. */
export type AtomicAction = Limited &
  (
    | { readonly kind: 'set'; readonly line: string; readonly value: Level }
    | { readonly kind: 'toggle'; readonly line: string }
    /** The line gets `value`, and after `forNs` the other level. */
    | { readonly kind: 'pulse'; readonly line: string; readonly value: Level; readonly forNs: number }
    /** The line gets the level of the input after the edge, or with `invert` the other one. */
    | { readonly kind: 'follow'; readonly line: string; readonly invert: boolean }
  );

/** What an irq thread may do as well. */
export type ThreadAction = AtomicAction | (Limited & { readonly kind: 'log'; readonly text: Template });

/** Run a program, without a shell, ended after `timeoutNs`. */
export interface ExecAction extends Limited {
  readonly kind: 'exec';
  readonly argv: readonly Template[];
  /** Variables besides PATH and the daemon's own. */
  readonly env?: Readonly<Record<string, Template>>;
  readonly timeoutNs: number;
}

/** Methods of a request. */
export const HTTP_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
/** One of {@link HTTP_METHODS}. */
export type HttpMethod = (typeof HTTP_METHODS)[number];

/** Send a request by HTTP. */
export interface HttpAction extends Limited {
  readonly kind: 'http';
  /** Absolute, http or https. */
  readonly url: Template;
  readonly method: HttpMethod;
  readonly headers: Readonly<Record<string, Template>>;
  readonly body?: Template | undefined;
  /** For one try. */
  readonly timeoutNs: number;
  /** Tries after the first. */
  readonly retries: number;
}

/** Publish a message by MQTT. */
export interface MqttAction extends Limited {
  readonly kind: 'mqtt';
  readonly topic: Template;
  readonly payload: Template;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}

/** Call the default function of a module (absolute path) in a worker thread of the queue, ended after `timeoutNs`. */
export interface ModuleAction extends Limited {
  readonly kind: 'module';
  readonly path: string;
  readonly timeoutNs: number;
}

/** What a work item may do as well: what waits for something outside. */
export type WorkAction = ThreadAction | ExecAction | HttpAction | MqttAction | ModuleAction;

/** A work item: queued once the top half has run, onto a queue of the configuration or one of the kernel's own. */
export interface WorkSpec {
  readonly queue: string;
  readonly actions: readonly WorkAction[];
}

/** Ways to press a button. */
export const PRESS_PATTERNS = ['single', 'double', 'long', 'hold', 'release'] as const;
/** One of {@link PRESS_PATTERNS}. */
export type PressPattern = (typeof PRESS_PATTERNS)[number];

/** What a way to press a line's button sets off. */
export interface PatternSpec extends WorkSpec {
  readonly on: PressPattern;
  /** `long`, `hold`, `release`: how long the button must be held. */
  readonly afterNs: number;
  /** `double`: from the release of the first press to the second press, at most. */
  readonly withinNs: number;
  /** `hold`: from one repetition to the next. */
  readonly everyNs: number;
}

/** What several buttons set off that are pressed at once. */
export interface ChordSpec extends WorkSpec {
  readonly name: string;
  /** Inputs with both edges; at least two. */
  readonly lines: readonly string[];
  /** From the first press to the last, at most. */
  readonly withinNs: number;
}

/** What runs actions besides edges. */
export type TriggerSpec = {
  readonly name: string;
  readonly work: readonly WorkSpec[];
} & (
  | {
      readonly by: 'schedule';
      /** Cron expression of five fields, or six with seconds before them. */
      readonly schedule: string;
      /** IANA name; default: the machine's. */
      readonly timezone?: string | undefined;
      /** Run once for what was missed while the machine was suspended, or the clock was set forward. */
      readonly catchUp: boolean;
    }
  | { readonly by: 'hook'; readonly hook: string }
  | { readonly by: 'mqtt'; readonly topic: string }
);

/** Flags of an interrupt, named as in Linux (`IRQF_ONESHOT` is `oneshot`). */
export const INTERRUPT_FLAGS = ['oneshot', 'no_autoen'] as const;
/** One of {@link INTERRUPT_FLAGS}. */
export type InterruptFlag = (typeof INTERRUPT_FLAGS)[number];
