// check-many.mjs PROGRAM FILE...: the built `gpio-irqd check` over many files in one process, for each as a process of its own
// would be: its entry is evaluated anew, with its arguments, and what it writes and exits with is told as a line of JSON.
//
// A file whose name ends with .json.yaml is checked with --json.
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';

const [program, ...files] = process.argv.slice(2);
if (program === undefined) throw new Error('usage: check-many.mjs PROGRAM FILE...');
const require = createRequire(program);

/** What the program's exit becomes, so that the next file has its turn. */
class Exit {}

/** The file that is being checked has its exit code. */
let exited = () => undefined;
process.exit = (code) => {
  exited(code);
  throw new Exit();
};
// Of anything else the process dies, as the program would.
process.on('unhandledRejection', (error) => {
  if (!(error instanceof Exit)) throw error;
});

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

async function check(file) {
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
  const exit = new Promise((settle) => {
    exited = settle;
  });
  delete require.cache[program];
  require(program);
  const code = await exit;
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error');
  writeSync(1, `${JSON.stringify({ file, code, out: out.join(''), err: err.join('') })}\n`);
}

for (const file of files) await check(file);
