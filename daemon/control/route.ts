// One route of the control API: what it takes, what it answers, and who does it. The documentation is made of the same.

import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { z } from 'zod';

/** A request whose parts have been checked. */
export interface Asked<P = unknown, Q = unknown, B = unknown> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly headers: IncomingHttpHeaders;
}

/** An answer that is not JSON. */
export class RawAnswer {
  /** As in the header `content-type`. */
  readonly type: string;
  readonly text: string;

  constructor(type: string, text: string) {
    this.type = type;
    this.text = text;
  }
}

/** What a route answers: a schema of daemon/control/answers.ts by its name, or a media type for what is not JSON. */
export interface AnswerSpec {
  readonly schema?: string;
  readonly types?: readonly string[];
}

/** What every route says of itself. */
interface RouteFacts {
  readonly method: 'GET' | 'PUT' | 'POST';
  /** `/v1/lines/:name`, where `:name` is one part of the path; `*` stands for the rest of it. */
  readonly path: string;
  /** Unique; what clients made of the documentation call it. */
  readonly id: string;
  /** One sentence. */
  readonly summary: string;
  readonly answer: AnswerSpec;
}

/** A route. */
export interface Route extends RouteFacts {
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** @returns the answer: an object, which becomes JSON, or a {@link RawAnswer}. Errors as KernelError. */
  handle?(asked: Asked): unknown;
  /** In place of `handle`: takes the response over, and ends it. Errors as KernelError, before anything is written. */
  stream?(asked: Asked, response: ServerResponse): void;
}

/** A route as it is written: its parts have the types of their schemas. */
interface RouteOf<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> extends RouteFacts {
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  handle?(asked: Asked<z.output<P>, z.output<Q>, z.output<B>>): unknown;
  stream?(asked: Asked<z.output<P>, z.output<Q>, z.output<B>>, response: ServerResponse): void;
}

/** Writes a route down. What it takes is checked before it is called, so it has the types of its schemas. */
export function route<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(facts: RouteOf<P, Q, B>): Route {
  return facts;
}
