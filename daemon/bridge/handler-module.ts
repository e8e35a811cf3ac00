// Handler modules: JavaScript or TypeScript of the user's in place of actions, with the kernel's names for its parts.

import { realpathSync, statSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type * as kernel from '../../kernel/index.js';
import {
  DelayedWork,
  type GpioDesc,
  IRQ_WAKE_THREAD,
  type IrqHandler,
  type IrqThreadFn,
  KernelError,
  type Process,
  type WorkFn,
} from '../../kernel/index.js';
import { fileError, shellWord } from '../file-faults.js';
import { ownFiles } from '../own-files.js';
import { importFile } from './import-file.js';
import { Anew, loadImportsAnew } from './imports-anew.js';
import { prepareTypescript } from './typescript.js';

/** What a module may export: at least one of the first two. */
interface HandlerExports {
  readonly topHalf?: IrqHandler;
  readonly threadFn?: IrqThreadFn;
  readonly work?: (work: kernel.Work, dev: HandlerDevice) => Process<void>;
}

/** What a handler module's functions get as their device. */
export interface HandlerDevice {
  /** The line that interrupts. */
  readonly line: GpioDesc;
  /** All lines of the configuration, by name. */
  readonly lines: Readonly<Record<string, GpioDesc>>;
  /** The edge that is being handled; for top halves. */
  readonly edge: kernel.EdgeInfo;
  /** The module's work item: `dev.kernel.scheduleWork(dev.work)`, or `dev.kernel.scheduleDelayedWork(dev.work, jiffies)`. */
  readonly work: kernel.DelayedWork;
  /** The kernel's functions: `requestIrq`, `msleep`, `gpiodSetValue`, … */
  readonly kernel: typeof kernel;
  /** Writes to the daemon's log and its events. */
  log(text: string): void;
}

/** A loaded module and the device that its functions get: an action of its own on the line's interrupt. */
export interface HandlerModule {
  /** The module's, or one that only wakes its thread. */
  readonly topHalf: IrqHandler;
  readonly threadFn: IrqThreadFn | null;
  readonly device: HandlerDevice;
}

const PARTS = ['topHalf', 'threadFn', 'work'] as const;

/**
 * Loads a module and binds it. `EINVAL` when it cannot be loaded or is no handler, `EACCES` when a file of it may not be read.
 *
 * @param anew loads it anew with what it imports by its place, with variables of their own, for each value; `ENOMEM` when that was done
 *   too often. Default: as they were loaded first
 */
export async function loadHandlerModule(
  path: string,
  device: Omit<HandlerDevice, 'work' | 'kernel'>,
  anew?: number | Anew,
): Promise<HandlerModule> {
  const exports = await importModule(path, anew);
  for (const part of PARTS) {
    if (exports[part] !== undefined && typeof exports[part] !== 'function') {
      throw new KernelError('EINVAL', `handler module ${path}: ${part} is not a function`);
    }
  }
  const { topHalf, threadFn, work } = exports;
  if (topHalf === undefined && threadFn === undefined) {
    throw new KernelError('EINVAL', `handler module ${path} exports neither topHalf nor threadFn`, {
      hint: 'export function topHalf(irq, dev) { … return dev.kernel.IRQ_HANDLED }',
    });
  }
  const runWork: WorkFn = (item) => {
    if (work !== undefined) return work(item, bound);
    throw new KernelError('EINVAL', `handler module ${path} queues dev.work, and exports no function work`);
  };
  // All of its names, which only a module may ask for.
  const kernelNames = await import('../../kernel/index.js');
  const bound: HandlerDevice = {
    ...device,
    kernel: kernelNames,
    work: new DelayedWork(runWork, `${device.line.name}.work`),
  };
  return { topHalf: topHalf ?? (() => IRQ_WAKE_THREAD), threadFn: threadFn ?? null, device: bound };
}

async function importModule(path: string, anew: number | Anew | undefined): Promise<HandlerExports> {
  const files = ownFiles(path);
  for (const file of files) prepareTypescript(file);
  const instance = anew instanceof Anew ? anew.take(files) : anew;
  if (instance !== undefined && files.length > 1) loadImportsAnew();
  const query = instance === undefined ? '' : `?instance=${instance}`;
  try {
    return (await importFile(pathToFileURL(path).href + query)) as HandlerExports;
  } catch (error) {
    checkReadable(error, files);
    checkReachable(error);
    throw new KernelError('EINVAL', `handler module ${path} cannot be loaded: ${placeOf(error)}`, {
      hint: 'it is an ES module; `node --check` finds errors of syntax in JavaScript, `tsc --noEmit` in TypeScript',
      subject: path,
      cause: error,
    });
  }
}

/** Of a file that may not be read, Node tells neither who nor what to do. Not asked before: a module may name files that it never reads. */
function checkReadable(error: unknown, files: readonly string[]): void {
  if (!isDenied(error)) return;
  const file = files.find((own) => own === error.path || loadedFrom(own) === error.path);
  if (file !== undefined) throw unreadable(error, file);
}

/** Node loads what links lead to. Undefined for what is gone meanwhile. */
function loadedFrom(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch {
    return undefined;
  }
}

/** What Node does not find may be there, in a folder that this user may not go through. */
function checkReachable(error: unknown): void {
  // Others may be the module's own, with any address in them.
  if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) return;
  const url = 'url' in error ? error.url : undefined;
  if (typeof url !== 'string' || !url.startsWith('file:')) return;
  const file = fileURLToPath(url);
  try {
    statSync(file);
  } catch (fault) {
    if (isDenied(fault)) throw unreadable(fault, file);
  }
}

function isDenied(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && error.code === 'EACCES';
}

function unreadable(error: unknown, file: string): KernelError {
  return fileError(error, file, 'read', { denied: `sudo chmod o+r ${shellWord(file)}` });
}

/** An error and where it was thrown, which Node does not tell of errors of syntax in JavaScript. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const at = frameOf(error.stack ?? '') ?? caretOf(error.stack ?? '');
  return at === undefined ? error.message : `${error.message} (${at})`;
}

/** The first frame that is in a file. */
function frameOf(stack: string): string | undefined {
  return /(?:file:\/\/|\()(\/[^\n()]*:\d+:\d+)/.exec(stack)?.[1];
}

/** Where a stack begins with file and line, the line itself, and a caret under it, as Node's own reader of TypeScript writes. */
function caretOf(stack: string): string | undefined {
  const [, line, indent] = /^(\/[^\n]*:\d+)\n[^\n]*\n( *)\^/.exec(stack) ?? [];
  return indent === undefined ? undefined : `${line}:${indent.length + 1}`;
}
