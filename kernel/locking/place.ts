// Places in the user's code: kept when a lock is taken, made readable only when a report needs them.
import { contextFrames } from '../sched/debug.js';

/** Frames kept: the model's own two or three, and the user's. */
const FRAMES = 10;

/** A place that code was at; its stack costs little until it is read. */
export type Place = Error;

/** The place of the caller, with the callers behind it. */
export function herePlace(): Place {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  const place = new Error();
  Error.stackTraceLimit = limit;
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
