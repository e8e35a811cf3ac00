// Stacks as the user should see them: the frames of the user's code, without the model's own.

/** Source folders of the model and of the simulated hardware, as they appear in a stack. */
const OWN = /[/\\](?:kernel|sim-fallback)[/\\](?!.*\.spec\.)/;

/** Lines of a stack that are not the model's own, as `  at …`; all of them if there would be none. */
export function userFrames(stack: string | undefined): string[] {
  const frames = (stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at '));
  const own = frames.filter((line) => !OWN.test(line) && !line.includes('node:internal'));
  return own.length > 0 ? own : frames;
}
