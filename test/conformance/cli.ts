// `npm run conformance [DIR…]`: runs the scenarios of the directories, prints the table, and exits 1 if any parts.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { casesOf, document, notExpressed, runCases, table, unusedRecordings } from './harness.js';

const OWN = fileURLToPath(new URL('./scenarios', import.meta.url));
const DOCUMENT = fileURLToPath(new URL('../../docs/conformance.md', import.meta.url));

/** Runs the directories, by default the project's own, whose results then go into docs/conformance.md; the exit status. */
export async function main(directories: readonly string[]): Promise<number> {
  const folders = directories.length === 0 ? [OWN] : directories;
  const results = await runCases(folders.flatMap(casesOf));
  process.stdout.write(table(results));
  const unused = folders.flatMap(unusedRecordings);
  if (unused.length > 0) process.stdout.write(`no scenario goes with: ${unused.join(', ')}\n`);
  if (directories.length === 0) writeFileSync(DOCUMENT, document(results, notExpressed(OWN)));
  return results.every(({ outcome }) => outcome === 'equal') ? 0 : 1;
}
