// Places in the user's code: kept when a lock is taken, made readable only when a report needs them.
import { contextFrames } from '../sched/debug.js';

/** Frames kept: the model's own two or three, and the user's. */
const FRAMES = 10;

/** A place that code was at; its stack costs little until it is read. */
export type Place = Error;

/** The place of the caller, with the callers behind it; `frames` is how far to look. */
export function herePlace(frames: number = FRAMES): Place {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = frames;
  const place = new Error();
  Error.stackTraceLimit = limit;
  return place;
}

/** A place in the kernel, for what no user's code takes. */
export function kernelPlace(name: string, file: string): Place {
  const place = new Error(name);
  place.stack = `Error\n    at ${name} (${file})`;
  return place;
}

/** The frames of the user's code in the context of a place, innermost first, without the `at`. */
export function placeFrames(place: Place): string[] {
  return contextFrames(place.stack).map((line) => line.trim().replace(/^at /, ''));
}

/** The innermost of the user's frames: `function (file:line:column)`. */
export function placeName(place: Place): string {
  return placeFrames(place)[0] ?? '(unknown place)';
}
