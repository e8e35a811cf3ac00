// Requests that outlive their process: passed on as descriptors, and taken over by who finds them as they were described.
import { KernelError } from '../../kernel/errno.js';
import type {
  GpioChip,
  Level,
  LineConfig,
  LineInfo,
  LineRequest,
  LineRequestOptions,
} from '../../kernel/gpio/driver.js';
import { cutConsumer } from './config.js';

/** What a request was made with, and what became of it; told by who held it before. */
export interface KeptRequest extends LineRequestOptions {
  /** Logical levels that outputs were last given, by line; undefined where they were never set since the request. */
  readonly levels: readonly (Level | undefined)[];
}

/** A chip whose requests can be passed on to another process. */
export interface AdoptingChip extends GpioChip {
  /** Descriptor of a request of this chip, which goes on owning it. `EBADF` when it was released, `EINVAL` when it is none of its own. */
  descriptorOf(request: LineRequest): number;
  /**
   * Takes a request over, of which nothing changes: outputs keep their level, and edges that nobody has read are waiting. It
   * uses a duplicate of `fd`, which stays the caller's.
   *
   * @throws {KernelError} `EINVAL` when the descriptor is not of these lines, or they are not as described; `ENOTTY` when it
   * is no request at all; `ENODEV` when its chip is gone.
   */
  adoptLines(fd: number, kept: KeptRequest): LineRequest;
  /** Reads no more edges of a request of this chip: they wait in its FIFO for whoever takes it over. Errors as {@link descriptorOf}. */
  pauseEdges(request: LineRequest): void;
}

/** `chip`, when its requests can be passed on. */
export function adoptingChip(chip: GpioChip): AdoptingChip | undefined {
  return isAdopting(chip) ? chip : undefined;
}

function isAdopting(chip: GpioChip): chip is AdoptingChip {
  return 'adoptLines' in chip && 'descriptorOf' in chip;
}

/** Throws `EINVAL` unless the kernel says of each line what the description says. */
export function checkKept(kept: KeptRequest, infoOf: (offset: number) => LineInfo): void {
  const consumer = cutConsumer(kept.consumer);
  for (const line of kept.lines) {
    const info = infoOf(line.offset);
    const wrong = differenceOf(info, line, consumer);
    if (wrong === undefined) continue;
    throw new KernelError('EINVAL', `line ${line.offset} is not the one that was kept: ${wrong}`, {
      hint: 'request it anew',
      subject: info.consumer,
    });
  }
}

function differenceOf(info: LineInfo, line: LineConfig, consumer: string): string | undefined {
  if (!info.used) return 'nobody holds it';
  const expected: Partial<Record<keyof LineInfo, unknown>> = {
    consumer,
    direction: line.direction,
    edge: line.edge ?? 'none',
    bias: line.bias ?? 'as-is',
    drive: line.drive ?? 'push-pull',
    activeLow: line.activeLow ?? false,
    debounceUs: line.debounceUs ?? 0,
  };
  for (const key of Object.keys(expected) as (keyof LineInfo)[]) {
    if (info[key] !== expected[key]) return `its ${key} is '${info[key]}', and was '${expected[key]}'`;
  }
  return undefined;
}
