// What the GpioChip contract needs of a driver under test: the chip, and hands on the outside of its lines.
import { expect } from 'vitest';
import { KernelError } from '../../kernel/errno.js';
import type {
  EdgeBatch,
  GpioCapabilities,
  GpioChip,
  Level,
  LineConfig,
  LineRequest,
  LineRequestOptions,
} from '../../kernel/gpio/driver.js';

/** One chip under test, made afresh for every test. */
export interface ContractBackend {
  /** At least 32 lines; lines 0 to 31 are free, and named. */
  readonly chip: GpioChip;
  /** Drives a line from outside to a physical level. */
  setPad(offset: number, level: Level): void;
  /** Physical level of a line, whoever drives it. */
  readPad(offset: number): Level;
  /** CLOCK_MONOTONIC of the backend, in ns. */
  now(): bigint;
  /** Lets `milliseconds` (default 0) of the backend's own time pass, and what is pending be delivered. */
  settle(milliseconds?: number): Promise<void>;
  /** The same chip, opened by somebody else. Closed by {@link dispose}. */
  otherChip(): GpioChip;
  /** Takes the chip away. */
  unplug(): void;
  dispose(): void | Promise<void>;
}

/** Gives the backend of the running test. */
export type Backend = () => ContractBackend;

/** What a driver can: each capability decides whether the test of what it gives is declared, or the one of its absence. */
export type Can = GpioCapabilities;

/** An edge, copied out of a batch. */
export interface SeenEdge {
  readonly offset: number;
  readonly rising: boolean;
  readonly seqno: number;
  readonly lineSeqno: number;
  readonly timestampNs: bigint;
}

/** Calls of {@link ContractBackend.settle} that edges may take to arrive. */
const PATIENCE = 500;

/** Copies the edges of a request. */
export class Recorder {
  readonly edges: SeenEdge[] = [];
  readonly batches: EdgeBatch[] = [];
  readonly counts: number[] = [];

  constructor(request: LineRequest) {
    request.onEdges((batch) => {
      this.batches.push(batch);
      this.counts.push(batch.count);
      for (let i = 0; i < batch.count; i++) {
        this.edges.push({
          offset: batch.offset(i),
          rising: batch.rising(i),
          seqno: batch.seqno(i),
          lineSeqno: batch.lineSeqno(i),
          timestampNs: batch.timestampNs(i),
        });
      }
    });
  }

  /** Waits for `count` edges, then once more, so that an edge too many is seen. */
  async take(backend: ContractBackend, count: number): Promise<SeenEdge[]> {
    for (let i = 0; i < PATIENCE && this.edges.length < count; i++) await backend.settle();
    await backend.settle();
    expect(this.edges).toHaveLength(count);
    return this.edges;
  }

  /** The edges as a word: `R` rising, `F` falling. */
  get word(): string {
    return this.edges.map((edge) => (edge.rising ? 'R' : 'F')).join('');
  }
}

/** Expects `action` to fail with a KernelError of `code`, and gives the error. */
export function failsWith(code: string, action: () => unknown): KernelError {
  let caught: unknown;
  try {
    action();
  } catch (error) {
    caught = error;
  }
  if (!(caught instanceof KernelError)) {
    expect.fail(`expected a KernelError ${code}, got ${caught === undefined ? 'no error' : String(caught)}`);
  }
  expect(caught.code, caught.message).toBe(code);
  return caught;
}

/** Expects that `lines` are refused with `ENOTSUP`, by the name of the driver, and that none of them is held then. */
export function refuses(
  { chip }: ContractBackend,
  lines: readonly LineConfig[],
  more: Partial<LineRequestOptions> = {},
): void {
  const error = failsWith('ENOTSUP', () => chip.requestLines({ lines, consumer: 'contract', ...more }));
  expect(error.message).toContain(chip.driver);
  expect(error.hint).toBeDefined();
  for (const { offset } of lines) expect(chip.lineInfo(offset).used).toBe(false);
}

/** Drives a line through levels, one after the other, each settled. */
export async function drive(backend: ContractBackend, offset: number, levels: readonly Level[]): Promise<void> {
  for (const level of levels) {
    backend.setPad(offset, level);
    await backend.settle();
  }
}
