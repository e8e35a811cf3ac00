// Sending a request by HTTP for a work item: limited in time and size, tried again with growing pauses, its secrets never told.
import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { KernelError } from '../../kernel/index.js';
import type { HttpMethod } from '../config/action-types.js';

/** Bytes of an answer that are read; what comes after is not waited for. */
const ANSWER_MAX = 64 * 1024;
/** Characters of an answer that go into an error. */
const SAID_MAX = 200;
const REDIRECTS_MAX = 3;
/** Answers after which another try may go better: a time-out, too many requests, trouble behind. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
const BACKOFF_MS = 1_000;
const BACKOFF_MAX_MS = 60_000;

/** A request. */
export interface HttpRequest {
  readonly url: string;
  readonly method: HttpMethod;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** How it is sent. */
export interface HttpOptions {
  /** For one try, redirects included. */
  readonly timeoutNs: number;
  /** Tries after the first. */
  readonly retries: number;
  /** Ends it before its time. */
  readonly signal: AbortSignal;
  /** 0 to 1, for pauses between tries that are not all alike; default: a random number. */
  readonly random?: (() => number) | undefined;
  /** Waits so many ms; default: the event loop's. Rejects when `signal` is aborted. */
  readonly pause?: Pause | undefined;
}

/** Waits so many ms, or rejects when `signal` is aborted. */
export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

/** The answer to a request that went well. */
export interface HttpResult {
  readonly status: number;
  readonly tries: number;
}

/** What came of one try: the status of an answer that is well, or why there is none. */
export type Outcome = Failure | { readonly status: number };

/** One try that failed. */
interface Failure {
  readonly error: KernelError;
  /** Whether another may go better. */
  readonly passing: boolean;
  /** What the server asks to wait. */
  readonly waitMs?: number | undefined;
}

/**
 * Sends a request; well went what was answered with a status from 200 to 299. Redirects are followed within the server: up to three, and to
 * the same host by https instead of http. Between tries it waits 1 s, 2 s, 4 s, up to a minute, give or take half of
 * that, or as long as `Retry-After` asks.
 *
 * Errors name the server and no more of the URL, and no headers: tokens stand in both.
 *
 * @throws KernelError EINVAL (no http or https URL, or a header that cannot be sent), ETIMEDOUT (no answer in time), EINTR (ended by `signal`), ECONNREFUSED
 * or EIO (no connection), EREMOTEIO (another status, or too many redirects)
 */
export function http(request: HttpRequest, options: HttpOptions): Promise<HttpResult> {
  return persist(request, options, (url) => once(url, request, options));
}

/** As {@link http}, with `send` for each try. */
export async function persist(
  request: HttpRequest,
  options: HttpOptions,
  send: (url: URL) => Promise<Outcome>,
): Promise<HttpResult> {
  const url = parse(request.url);
  const { random = Math.random, pause: wait = pauseFor } = options;
  for (let tries = 1; ; tries++) {
    const outcome = await send(url);
    if (!('error' in outcome)) return { status: outcome.status, tries };
    if (!outcome.passing || tries > options.retries) throw told(outcome.error, tries);
    const growing = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** (tries - 1)) * (0.5 + random());
    await wait(Math.min(BACKOFF_MAX_MS, outcome.waitMs ?? growing), options.signal).catch(() => {});
    if (options.signal.aborted) throw stopped(url);
  }
}

async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal });
}

function told(error: KernelError, tries: number): KernelError {
  if (tries === 1) return error;
  return new KernelError(error.code, `${error.message} (tried ${tries} times)`, { cause: error.cause });
}

function parse(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new KernelError('EINVAL', 'an http action has no http or https URL', {
    hint: 'write it in full, such as https://example.org/',
  });
}

/** A server, as it is told: paths and queries may be secret. */
function serverOf(url: URL): string {
  return `${url.protocol}//${url.host}`;
}

function stopped(url: URL): KernelError {
  return new KernelError('EINTR', `${serverOf(url)}: the request was ended, since the daemon stops`);
}

/** One try, with the redirects that it meets. */
async function once(url: URL, sent: HttpRequest, { timeoutNs, signal }: HttpOptions): Promise<Outcome> {
  const limit = AbortSignal.timeout(Math.max(1, Math.ceil(timeoutNs / 1e6)));
  const ends = AbortSignal.any([limit, signal]);
  let to = url;
  let request = sent;
  try {
    for (let redirects = 0; ; redirects++) {
      const answer = await send(to, request, ends);
      const { status } = answer;
      if (status < 300 || status >= 400 || answer.location === undefined) return outcomeOf(to, answer);
      const target = URL.canParse(answer.location, to.href) ? new URL(answer.location, to) : undefined;
      if (redirects === REDIRECTS_MAX) return final(to, `more than ${REDIRECTS_MAX} redirects`);
      if (target === undefined || !mayFollow(to, target)) {
        const where = target === undefined ? 'nowhere' : serverOf(target);
        return final(to, `a redirect to ${where}`, 'only those to the same server are followed: write that URL');
      }
      to = target;
      request = redirected(request, status);
    }
  } catch (error) {
    const why = explain(error, to, signal, limit);
    return { error: why, passing: why.code !== 'EINTR' && why.code !== 'EINVAL' };
  }
}

/** As browsers do: 307 and 308 ask for the same again, the others for a look. */
function redirected(request: HttpRequest, status: number): HttpRequest {
  if (status === 307 || status === 308 || request.method === 'HEAD') return request;
  const headers = Object.entries(request.headers).filter(([name]) => !/^content-/i.test(name));
  return { url: request.url, method: 'GET', headers: Object.fromEntries(headers) };
}

function mayFollow(from: URL, to: URL): boolean {
  if (to.host === from.host && to.protocol === from.protocol) return true;
  return from.protocol === 'http:' && to.protocol === 'https:' && to.hostname === from.hostname;
}

/** What is looked at of an answer. */
interface Answer {
  readonly status: number;
  readonly location?: string | undefined;
  readonly retryAfter?: string | undefined;
  readonly text: string;
}

/** Loads the library only now: most configurations have no such action. */
async function send(url: URL, { method, headers, body }: HttpRequest, signal: AbortSignal): Promise<Answer> {
  const { request } = createRequire(import.meta.url)('undici') as typeof import('undici');
  const sent = { 'user-agent': 'gpio-irqd', ...headers };
  const answer = await request(url, { method, headers: sent, body: body ?? null, signal });
  const text = await textOf(answer.body);
  return {
    status: answer.statusCode,
    location: one(answer.headers.location),
    retryAfter: one(answer.headers['retry-after']),
    text,
  };
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** As much of an answer as is read at all. */
async function textOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    // To leave the loop ends the connection: the rest need not come.
    if (length > ANSWER_MAX) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, SAID_MAX * 4);
}

function final(url: URL, message: string, hint?: string): Failure {
  const options = hint === undefined ? {} : { hint };
  return { error: new KernelError('EREMOTEIO', `${serverOf(url)} answers with ${message}`, options), passing: false };
}

/** What an answer that leads nowhere else means. */
export function outcomeOf(url: URL, { status, text, retryAfter }: Answer): Outcome {
  if (status >= 200 && status < 300) return { status };
  const said = text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, SAID_MAX);
  const message = `${serverOf(url)} answers with status ${status}${said === '' ? '' : `: ${said}`}`;
  const seconds = Number(retryAfter);
  const waitMs = retryAfter !== undefined && seconds >= 0 ? seconds * 1_000 : undefined;
  return { error: new KernelError('EREMOTEIO', message), passing: PASSING.has(status), waitMs };
}

/** Why no answer came. */
function explain(cause: unknown, url: URL, signal: AbortSignal, limit: AbortSignal): KernelError {
  if (signal.aborted) return stopped(url);
  const server = serverOf(url);
  if (limit.aborted) {
    return new KernelError('ETIMEDOUT', `${server}: no answer in time`, { hint: 'raise its timeout', cause });
  }
  const code = codeOf(cause);
  if (code === 'UND_ERR_INVALID_ARG') {
    return new KernelError('EINVAL', `${server}: a header has characters that cannot be sent`);
  }
  if (code === 'ECONNREFUSED') return new KernelError('ECONNREFUSED', `${server}: nobody answers there`, { cause });
  return new KernelError('EIO', `${server}: the request failed (${code})`, { cause });
}

/** A code says what went wrong and, unlike a message, nothing of what was sent. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
