// Requests on a fake line, with what request_threaded_irq returns in C.
import { KernelError } from '../errno.js';
import { type FakeLineOptions, type FakeLines, fakeLines, thrownBy } from './fake-line.spec-helper.js';
import { IRQ_HANDLED, type IrqReturn } from './flags.js';
import { requestThreadedIrq } from './request.js';

export const handled = (): IrqReturn => IRQ_HANDLED;

export interface Request {
  readonly flags: number;
  readonly handler?: boolean;
  readonly thread?: boolean;
  readonly devId?: unknown;
  readonly irq?: number;
  readonly name?: string;
}

export function requester(options: FakeLineOptions = {}): FakeLines & { request(asked: Request): number } {
  const lines = fakeLines(options);
  let requests = 0;
  /** What request_threaded_irq returns in C. */
  const request = (asked: Request): number => {
    const { flags, handler = true, thread = false, devId = { of: requests++ }, irq = lines.irq, name = 'one' } = asked;
    const error = thrownBy(() =>
      lines.machine.runTask(() =>
        requestThreadedIrq(irq, handler ? handled : null, thread ? handled : null, flags, name, devId),
      ),
    );
    if (error === undefined) return 0;
    if (error instanceof KernelError) return error.errno;
    throw error;
  };
  return { ...lines, request };
}
