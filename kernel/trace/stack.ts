// Stacks as the user should see them: the frames of the user's code, without the model's own.

/** Where the model's own code lies, as it appears in a stack: this file's folder kernel/ and sim-fallback/ beside it, bundled or not. */
const HERE = decodeURI(import.meta.url).replace(/^file:\/\//, '');
const ROOT = HERE.slice(0, HERE.lastIndexOf('kernel/'));
const OWN = ['kernel/', 'sim-fallback/'].map((folder) => `${ROOT}${folder}`);

/** Frames of modules have URLs, others have paths, in which a `%` is just that. */
function decoded(frame: string): string {
  try {
    return decodeURI(frame);
  } catch {
    return frame;
  }
}

function isOwn(frame: string): boolean {
  // Generator.prototype.next and its like: between a generator and the one that it yields to.
  if (frame.includes('node:internal') || frame.endsWith('(<anonymous>)')) return true;
  const place = decoded(frame);
  return OWN.some((folder) => place.includes(folder)) && !place.includes('.spec.');
}

function framesOf(stack: string | undefined): string[] {
  return (stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at '));
}

/** Lines of a stack that are not the model's own, as `  at …`. */
export function foreignFrames(stack: string | undefined): string[] {
  return framesOf(stack).filter((line) => !isOwn(line));
}

/** As {@link foreignFrames}; all lines of the stack if there would be none. */
export function userFrames(stack: string | undefined): string[] {
  const users = foreignFrames(stack);
  return users.length > 0 ? users : framesOf(stack);
}
