// `gpio-irqd record`: edges of real lines, with the kernel's stamps, as a scenario; or those of a daemon that runs.
import { setImmediate, setTimeout } from 'node:timers/promises';
import { openDriver } from '../../drivers/index.js';
import { KernelError } from '../../kernel/errno.js';
import type { EdgeBatch, GpioChip, LineRequest } from '../../kernel/index.js';
import { EXIT, type Surroundings } from '../cli.js';
import type { Config, LineSpec } from '../config/config.js';
import { formatApproximate } from '../config/duration.js';
import { formatConfigError } from '../config/errors.js';
import { loadConfig } from '../config/load.js';
import { ControlClient } from '../control/client.js';
import type { DaemonStatus } from '../control/target.js';
import { findSocket } from '../session.js';
import { recordDaemon } from './attached.js';
import { OutputFile } from './output-file.js';
import { overwrites } from './overwrites.js';
import { Recorder, type Recording } from './recorder.js';

/** Options of the command. */
export interface RecordOptions {
  readonly config: string;
  readonly out: string;
  /** Ns; default: until a signal. */
  readonly for?: number;
  readonly attach?: boolean;
  readonly socket?: string;
}

const CONSUMER = 'gpio-irqd-record';
const NS_PER_MS = 1e6;
/** Some 25 days; Node's timers take what is longer for no time at all. */
const TIMER_MAX_MS = 2 ** 31 - 1;
/** How long a daemon may take to tell what had happened when the recording ended. */
const LAST_EVENTS_MS = 10_000;

/**
 * Records all edges of the inputs of a configuration, without its debounce, so that bounce is on record.
 *
 * @param startNs CLOCK_MONOTONIC at time 0 of the recording
 */
export function recordChip(chip: GpioChip, lines: readonly LineSpec[], startNs: bigint, recorder: Recorder): Recording {
  const inputs = lines.filter(({ direction }) => direction === 'in');
  const names = new Map(inputs.map(({ gpio, name }) => [gpio, name]));
  const startHigh = Number(startNs >> 32n);
  const startLow = Number(startNs & 0xffff_ffffn);
  const seqnos = new Map<number, number>();
  let lost = 0;
  const request: LineRequest = chip.requestLines({
    lines: inputs.map(({ gpio, bias, activeLow }) => ({
      offset: gpio,
      direction: 'in',
      edge: 'both',
      bias,
      activeLow,
    })),
    consumer: CONSUMER,
  });
  for (const { gpio, name } of inputs) recorder.level(0, name, request.getValue(gpio));
  request.onEdges((batch: EdgeBatch) => {
    for (let i = 0; i < batch.count; i++) {
      const gpio = batch.offset(i);
      lost += gapBefore(seqnos, gpio, batch.lineSeqno(i));
      recorder.level(
        batch.timestampSince(i, startHigh, startLow),
        names.get(gpio) ?? `GPIO${gpio}`,
        batch.rising(i) ? 1 : 0,
      );
    }
  });
  return {
    get lost() {
      return chip.capabilities.seqno ? lost : 'unknown';
    },
    upToNow: polled,
    stop: () => request.release(),
    failed: new Promise((_, reject) => request.onGone(reject)),
  };
}

/** Resolves when the event loop has looked at every file descriptor once more. */
async function polled(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

/** Edges that are missing between the last one of a line and this one. */
function gapBefore(seqnos: Map<number, number>, gpio: number, seqno: number): number {
  const expected = (seqnos.get(gpio) ?? 0) + 1;
  seqnos.set(gpio, seqno);
  return seqno === 0 ? 0 : Math.max(0, seqno - expected);
}

/** Waits for a signal, or the end of the time. */
export function over(
  io: Pick<Surroundings, 'onSignal'>,
  forNs: number | undefined,
): { readonly done: Promise<void>; forget(): void } {
  let forget: () => void = () => {};
  const done = new Promise<void>((resolve) => {
    const ignore = io.onSignal(() => resolve());
    const timer = new AbortController();
    if (forNs !== undefined) void passed(Math.ceil(forNs / NS_PER_MS), timer.signal).then(resolve, () => {});
    forget = () => {
      ignore();
      timer.abort();
    };
  });
  return { done, forget: () => forget() };
}

/** Resolves after a time, of any length. */
async function passed(ms: number, signal: AbortSignal): Promise<void> {
  for (let left = ms; left > 0; left -= TIMER_MAX_MS) {
    await setTimeout(Math.min(left, TIMER_MAX_MS), undefined, { signal });
  }
}

async function tooLate(ms: number): Promise<never> {
  await setTimeout(ms, undefined, { ref: false });
  throw new KernelError('ETIMEDOUT', 'the daemon has not told its last events, which the recording lacks', {
    hint: 'it is very busy, or stopped: see `gpio-irqctl status`',
  });
}

/** The chip of a configuration. `ENODEV` where there is none. */
function openChip({ driver, chip }: Config): GpioChip {
  const opened = driver === 'sim' ? undefined : openDriver({ driver, chip });
  if (opened !== undefined) return opened;
  throw new KernelError('ENODEV', 'there is no GPIO chip to record from', {
    hint: 'with --attach, the daemon that runs is recorded, simulated or not',
  });
}

async function started(
  options: RecordOptions,
  io: Surroundings,
  config: Config | undefined,
  write: (text: string) => void,
): Promise<{ recorder: Recorder; recording: Recording; close(): Promise<void> }> {
  const name = options.out.replace(/^.*\//, '').replace(/\.jsonl$/, '');
  if (config === undefined) {
    const client = new ControlClient(options.socket ?? findSocket(io));
    const status = (await client.call('GET', '/v1/status')) as DaemonStatus;
    const { driver, chip } = status;
    const recorder = new Recorder(name, { driver, chip: chip.name, label: chip.label, attached: true }, write);
    const recording = await recordDaemon(client, recorder, Number(process.hrtime.bigint()));
    return { recorder, recording, close: () => client.close() };
  }
  const chip = openChip(config);
  const { driver, info } = chip;
  const recorder = new Recorder(name, { driver, chip: info.name, label: info.label, attached: false }, write);
  const recording = recordChip(chip, config.lines, process.hrtime.bigint(), recorder);
  const close = async (): Promise<void> => {
    recorder.finish(new Map());
    chip.close();
  };
  return { recorder, recording, close };
}

/** The command. @returns the exit code: 1 when edges were lost. */
export async function record(options: RecordOptions, io: Surroundings): Promise<number> {
  // A daemon that runs has its configuration.
  const loaded = options.attach === true ? undefined : loadConfig(options.config);
  if (loaded?.ok === false) {
    for (const error of loaded.errors) io.err(`${formatConfigError(error)}\n`);
    return EXIT.usage;
  }
  const overwritten = overwrites([options.out], options.attach === true ? [] : [options.config]);
  if (overwritten !== undefined) {
    io.err(`${overwritten}\n`);
    return EXIT.usage;
  }
  // Opened for the first step: a recording from before stays when there is nothing to record.
  let out: OutputFile | undefined;
  const write = (text: string): void => {
    out ??= new OutputFile(options.out);
    out.write(text);
  };
  const startMs = performance.now();
  const { done, forget } = over(io, options.for);
  try {
    const { recorder, recording, close } = await started(options, io, loaded?.config, write);
    io.err(`recording to ${options.out}${options.for === undefined ? '; Ctrl-C ends it' : ''}\n`);
    try {
      await Promise.race([done, recording.failed]);
      await Promise.race([recording.upToNow(), recording.failed, tooLate(LAST_EVENTS_MS)]);
    } finally {
      recording.stop();
      await close();
    }
    const { lost } = recording;
    const time = formatApproximate((performance.now() - startMs) * NS_PER_MS);
    io.out(`${options.out}: ${recorder.steps} steps in ${time}, ${lost} edges lost\n`);
    return lost === 0 || lost === 'unknown' ? EXIT.done : EXIT.failed;
  } finally {
    forget();
    out?.close();
  }
}
