// The commands of gpio-irqctl that show what goes on: events, the trace, and a view that is drawn anew all the time.

import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { argument } from './cli.js';
import { parseDuration } from './config/duration.js';
import type { ControlClient } from './control/client.js';
import { EVENT_TYPES } from './control/events.js';
import { followEvents } from './control/follow.js';
import { TRACE_FORMATS } from './control/trace-formats.js';
import { writeError } from './file-faults.js';
import { formatEvent, formatGap } from './format.js';
import { type Session, shown } from './session.js';
import { renderTop, type TopSnapshot } from './top.js';

const NS_PER_MS = 1e6;
const INTERVAL_MIN_MS = 100;
const INTERVAL_MAX_MS = 3_600_000;
const WAIT_DEFAULT_MS = 60_000;
const SECOND_MS = 1_000;
/** What a terminal is told (xterm's control sequences): another screen, no cursor; and back. */
const ENTER_SCREEN = '\x1b[?1049h\x1b[?25l';
const LEAVE_SCREEN = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_BELOW = '\x1b[J';
const CLEAR_LINE = '\x1b[K';
/** Keys that end it; raw, Ctrl-C is a key as well. */
const QUIT = ['q', 'Q', '\x03', '\x1b'];

const milliseconds = (min: number, right: string) =>
  argument((text) => {
    const ns = parseDuration(text);
    const ms = ns === undefined ? undefined : ns / NS_PER_MS;
    return ms === undefined || ms < min || ms > INTERVAL_MAX_MS ? undefined : ms;
  }, right);

/** A value more of an option that may be given several times; commas separate values as well. */
function several(choices?: readonly string[]) {
  return (text: string, before: readonly string[] = []): readonly string[] => {
    const values = text.split(',');
    const wrong = choices === undefined ? undefined : values.find((value) => !choices.includes(value));
    if (wrong !== undefined) throw new InvalidArgumentError(`Allowed choices are ${choices?.join(', ')}.`);
    return [...before, ...values];
  };
}

interface EventOptions {
  readonly type?: readonly string[];
  readonly line?: readonly string[];
  readonly wait: number;
}

/** Shows events until the user ends it, or the daemon is away for too long. */
async function watch(session: Session, { type = [], line = [], wait }: EventOptions): Promise<void> {
  const { io } = session;
  const ending = new AbortController();
  await session.connected(async (client) => {
    const forget = io.onSignal(() => {
      ending.abort();
      void client.close();
    });
    const onBreak = (away: boolean): void => {
      io.err(away ? 'gpio-irqctl: the events have ended; waiting for the daemon\n' : 'gpio-irqctl: it is back\n');
    };
    try {
      const events = followEvents(client, {
        types: type,
        lines: line,
        waitMs: wait,
        onBreak,
        signal: ending.signal,
      });
      for await (const event of events) {
        if (session.json) io.out(`${JSON.stringify(event)}\n`);
        else io.out(`${event.type === 'gap' ? formatGap(event) : formatEvent(event)}\n`);
      }
    } catch (error) {
      if (!ending.signal.aborted) throw error;
    } finally {
      forget();
    }
  });
}

interface TraceOptions {
  readonly format?: string;
  readonly out?: string;
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw writeError(error, path);
  }
}

async function trace(session: Session, { format, out }: TraceOptions): Promise<void> {
  const route = format === undefined ? '/v1/trace' : `/v1/trace?format=${format}`;
  const answer = await session.connected((client) => client.text('GET', route));
  const text = format === undefined ? (session.json ? `${answer}\n` : shown(() => JSON.parse(answer).text)) : answer;
  if (out === undefined) session.io.out(text);
  else write(out, text);
}

async function metrics(session: Session): Promise<void> {
  const text = await session.connected((client) => client.text('GET', '/metrics'));
  session.io.out(session.json ? `${JSON.stringify({ text })}\n` : text);
}

async function snapshot(client: ControlClient): Promise<TopSnapshot> {
  const routes = ['/v1/status', '/v1/lines', '/v1/interrupts', '/v1/softirqs', '/v1/workqueues'];
  const atMs = performance.now();
  const answers = await Promise.all(routes.map((route) => client.call('GET', route)));
  return Object.assign({ atMs }, ...answers.map((answer, i) => (i === 0 ? { status: answer } : answer)));
}

interface TopOptions {
  readonly interval: number;
  readonly count?: number;
}

/** What is on the screen: each line ends with what clears the rest of it, so that nothing flickers. */
function screen(text: string): string {
  return `${HOME}${text.replaceAll('\n', `${CLEAR_LINE}\n`)}${CLEAR_BELOW}`;
}

/** Ends at a signal, a key, or after so many pictures. */
async function top(session: Session, { interval, count = Number.POSITIVE_INFINITY }: TopOptions): Promise<void> {
  const { io, json } = session;
  const full = io.terminal && !json;
  const ending = new AbortController();
  const end = (): void => ending.abort();
  const forgets = [io.onSignal(end), full ? io.onKey?.((key) => QUIT.includes(key) && end()) : undefined];
  if (full) io.out(ENTER_SCREEN);
  try {
    await session.connected(async (client) => {
      let before: TopSnapshot | undefined;
      for (let i = 0; i < count && !ending.signal.aborted; i++) {
        if (i > 0) await sleep(interval, undefined, { signal: ending.signal }).catch(() => undefined);
        if (ending.signal.aborted) return;
        const now = await snapshot(client);
        const size = full ? io.size : undefined;
        if (json) io.out(`${JSON.stringify(now)}\n`);
        else {
          const picture = shown(() => renderTop(now, before, size));
          io.out(full ? screen(picture) : `${picture}\n`);
        }
        before = now;
      }
    });
  } finally {
    if (full) io.out(LEAVE_SCREEN);
    for (const forget of forgets) forget?.();
  }
}

const pictures = argument((text) => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined), 'a number from 1 on');

function addTop(program: Command, session: Session): void {
  program
    .command('top')
    .description('lines, interrupts, softirqs and workqueues with their rates, drawn anew all the time; q ends it')
    .addOption(
      new Option('--interval <duration>', 'how often')
        .argParser(milliseconds(INTERVAL_MIN_MS, 'a duration from 100ms to 1h'))
        .default(SECOND_MS, '1s'),
    )
    .option('--count <n>', 'end after so many pictures (default: never)', pictures)
    .action((options: TopOptions) => top(session, options));
}

/** Adds the commands. */
export function addWatchCommands(program: Command, session: Session): void {
  program
    .command('metrics')
    .description('all metrics, in the text format of Prometheus')
    .action(() => metrics(session));
  program
    .command('trace')
    .description('what ran when, in which context')
    .addOption(
      new Option('--format <format>', 'for trace-cmd and its like, for ui.perfetto.dev, or a record a line').choices(
        TRACE_FORMATS,
      ),
    )
    .option('--out <file>', 'write it there')
    .action((options: TraceOptions) => trace(session, options));
  program
    .command('events')
    .description('events as they happen, until Ctrl-C; also over a restart of the daemon')
    .option('--type <types>', 'only events of these types, separated by commas', several(Object.values(EVENT_TYPES)))
    .option('--line <lines>', 'only events of these lines, separated by commas', several())
    .addOption(
      new Option('--wait <duration>', 'how long a daemon that went away is waited for')
        .argParser(milliseconds(0, 'a duration up to 1h, or 0s'))
        .default(WAIT_DEFAULT_MS, '60s'),
    )
    .action((options: EventOptions) => watch(session, options));
  addTop(program, session);
}
