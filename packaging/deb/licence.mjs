// Stanzas of the Debian package's copyright file, one a library: reads lines of PACKAGE.JSON, DIRECTORY and LICENCE-FILE
// (or nothing), with tabs between.
import { readFileSync } from 'node:fs';

// Debian has the long ones once for all packages, and wants them named instead of repeated.
const COMMON = { 'Apache-2.0': 'Apache-2.0', 'GPL-2.0': 'GPL-2', 'GPL-3.0': 'GPL-3' };

function stanza(manifest, directory, licenceFile) {
  const { name, version, license, author } = JSON.parse(readFileSync(manifest, 'utf8'));
  const text = licenceFile === '' ? '' : readFileSync(licenceFile, 'utf8');
  const holders = [...new Set(text.match(/^[ \t]*copyright\b.*\d{4}.*$/gim) ?? [])].map((line) =>
    line.replace(/^\s*copyright\s*(\(c\)|©)?\s*/i, '').trim(),
  );
  const fallback = typeof author === 'string' ? author : (author?.name ?? `the authors of ${name}`);
  const common = COMMON[license];
  const body =
    common !== undefined
      ? [`On Debian systems, the text of this licence is in /usr/share/common-licenses/${common}.`]
      : text.trim() === ''
        ? ['As in the package of that name at the npm registry.']
        : text.trim().split(/\r?\n/);
  return [
    '',
    `Files: ${directory}/*`,
    `Copyright: ${holders.length > 0 ? holders.join('\n           ') : fallback}`,
    // A name of its own for each: the texts of one licence differ in their holders.
    `License: ${license ?? 'unknown'}-${name.replace(/^@/, '').replaceAll('/', '-')}`,
    `Comment: ${name} ${version}`,
    '',
    `License: ${license ?? 'unknown'}-${name.replace(/^@/, '').replaceAll('/', '-')}`,
    ...body.map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`)),
  ];
}

for (const line of readFileSync(0, 'utf8').trimEnd().split('\n')) {
  const [manifest = '', directory = '', licenceFile = ''] = line.split('\t');
  process.stdout.write(`${stanza(manifest, directory, licenceFile).join('\n')}\n`);
}
