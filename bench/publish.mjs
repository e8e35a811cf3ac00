// publish.mjs FILE MARKER: puts standard input into a document, between <!-- MARKER --> and <!-- /MARKER -->.
import { readFileSync, writeFileSync } from 'node:fs';

const [file, marker] = process.argv.slice(2);
if (file === undefined || marker === undefined) throw new Error('usage: publish.mjs FILE MARKER');
const report = readFileSync(0, 'utf8').trim();
const text = readFileSync(file, 'utf8');
const between = new RegExp(`(<!-- ${marker} -->\n)[^]*(<!-- /${marker} -->)`);
if (!between.test(text)) throw new Error(`${file} has lost its markers <!-- ${marker} --> and <!-- /${marker} -->`);
writeFileSync(
  file,
  text.replace(between, (_, open, close) => `${open}\n${report}\n\n${close}`),
);
console.log(`written to ${file}: ${marker}`);
