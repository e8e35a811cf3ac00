// check-many.mjs PROGRAM FILE...: the built `gpio-irqd check` over many files in one process, for each as a process of its own
// would be: its entry is evaluated anew, with its arguments, and what it writes and exits with is told as a line of JSON.
//
// A file whose name ends with .json.yaml is checked with --json.
import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [program, ...files] = process.argv.slice(2);
if (program === undefined) throw new Error('usage: check-many.mjs PROGRAM FILE...');
const entry = pathToFileURL(program).href;

/** What the program's exit becomes, so that the next file has its turn. */
class Exit {
  constructor(code) {
    this.code = code;
  }
}

process.exit = (code) => {
  throw new Exit(code);
};

/** Collects what is written to a stream. */
function collect(stream) {
  const texts = [];
  stream.write = (text, done) => {
    texts.push(text);
    if (done) process.nextTick(done);
    return true;
  };
  return texts;
}

async function check(file, count) {
  const out = collect(process.stdout);
  const err = collect(process.stderr);
  process.argv = [
    process.execPath,
    program,
    'check',
    '--config',
    file,
    ...(file.endsWith('.json.yaml') ? ['--json'] : []),
  ];
  let code;
  try {
    await import(`${entry}?${count}`);
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    code = error.code;
  }
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error');
  writeSync(1, `${JSON.stringify({ file, code, out: out.join(''), err: err.join('') })}\n`);
}

for (const [count, file] of files.entries()) await check(file, count);
