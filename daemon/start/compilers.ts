// V8's compilers to machine code, which rest while the daemon starts: what runs often then is the reading of modules and of the
// configuration, which is over when its machine code is ready.

import { setFlagsFromString } from 'node:v8';

const COMPILERS = ['opt', 'sparkplug'];

/** Whether Node was started with no options but those of how much memory it may take: what others say of V8 is not changed. */
function isPlain({ execArgv, env }: Pick<NodeJS.Process, 'execArgv' | 'env'>): boolean {
  const options = [...execArgv, ...(env.NODE_OPTIONS ?? '').split(' ')];
  return options.every((option) => option === '' || option.startsWith('--max-'));
}

/**
 * Has functions run as bytecode only. What V8 has kept is taken only by a process whose compilers rest as they did when it was made.
 *
 * @returns ends the rest
 */
export function restCompilers(
  node: Pick<NodeJS.Process, 'execArgv' | 'env'> = process,
  setFlag: (flag: string) => void = setFlagsFromString,
): () => void {
  if (!isPlain(node)) return () => undefined;
  for (const compiler of COMPILERS) setFlag(`--no-${compiler}`);
  return () => {
    for (const compiler of COMPILERS) setFlag(`--${compiler}`);
  };
}
