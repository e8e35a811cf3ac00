// The compilers rest while a start goes on, and only where nobody has said anything of them.

import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { restCompilers } from './compilers.js';

test.each([
  [[], undefined],
  [[], ''],
  [[], '--max-semi-space-size=1'],
  [['--max-old-space-size=100'], ' --max-semi-space-size=1 '],
] as const)('with %j and %j they rest until they are woken', (execArgv, options) => {
  const flags: string[] = [];
  const wake = restCompilers({ execArgv: [...execArgv], env: { NODE_OPTIONS: options } }, (flag) => flags.push(flag));
  expect(flags.splice(0)).toEqual(['--no-opt', '--no-sparkplug']);
  wake();
  expect(flags).toEqual(['--opt', '--sparkplug']);
});

test.each([
  [['--jitless'], ''],
  [[], '--jitless'],
  [[], '--max-semi-space-size=1 --no-opt'],
  [['--inspect'], undefined],
] as const)('with %j and %j they are left alone', (execArgv, options) => {
  const flags: string[] = [];
  restCompilers({ execArgv: [...execArgv], env: { NODE_OPTIONS: options } }, (flag) => flags.push(flag))();
  expect(flags).toEqual([]);
});

test('a function that runs often is compiled to machine code after the rest, and not in it', () => {
  // The natives are in a script of their own, since an option for them would end the rest before it begins.
  const program = `
    const { setFlagsFromString } = require('node:v8');
    const { runInThisContext } = require('node:vm');
    setFlagsFromString('--allow-natives-syntax');
    const bits = runInThisContext('(f) => %GetOptimizationStatus(f)');
    const OPTIMIZED = 1 << 4, BASELINE = 1 << 15;
    function add(a, b) { return a + b; }
    const work = () => { let sum = 0; for (let i = 0; i < 3e6; i++) sum = add(sum, i) | 0; return sum; };
    const seen = () => { for (let i = 0; i < 20; i++) work(); return ((bits(add) | bits(work)) & (OPTIMIZED | BASELINE)) !== 0; };
    const flags = (words) => { for (const word of words) setFlagsFromString(word); };
    flags(${JSON.stringify(flagsOf().rest)});
    const resting = seen();
    flags(${JSON.stringify(flagsOf().wake)});
    console.log(resting, seen());`;
  expect(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' })).toBe('false true\n');
});

function flagsOf(): { rest: string[]; wake: string[] } {
  const [rest, wake]: [string[], string[]] = [[], []];
  let to = rest;
  const end = restCompilers({ execArgv: [], env: {} }, (flag) => to.push(flag));
  to = wake;
  end();
  return { rest, wake };
}
