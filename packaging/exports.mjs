// What a chunk of the bundle exports, given at once: rolldown defines a getter for each name, and hundreds of those cost a start more
// memory than some parts of the program.

const GETTER =
  /^Object\.defineProperty\(exports, "([\w$]+)", \{\n\tenumerable: true,\n\tget: function\(\) \{\n\t\treturn ([\w$]+);\n\t\}\n\}\);\n?/gm;
const ASSIGNMENT = String.raw`\s*(?:[-+*/%&|^]|<<|>>>?|\*\*|&&|\|\||\?\?)?=(?![=>])|\+\+|--`;

/** Whether a name is given a value after its declaration, or another one of that name somewhere: then it stays a getter. */
function mayChange(name, code) {
  const word = name.replaceAll('$', '\\$&');
  const assigned = code.match(new RegExp(`(?<![\\w$.])${word}(?:${ASSIGNMENT})`, 'g')) ?? [];
  const declared = new RegExp(`\\b(?:const|var|let) ${word} ?=`).test(code);
  return assigned.length > (declared ? 1 : 0);
}

/**
 * @param code of a chunk whose importers run after it: none of them may hold the object that it had for its exports before
 * @returns the same with one object of all names at its end
 */
export function exportAtOnce(code) {
  const names = [...code.matchAll(GETTER)].map(([, name, local]) => [name, local]);
  if (names.length === 0) return code;
  const rest = code.replace(GETTER, '');
  if (/^(?:exports\.|Object\.defineProperty\(exports)/m.test(rest)) throw new Error('exports of another form');
  const members = names.map(([name, local]) => {
    if (mayChange(local, rest)) return `get ${name}() { return ${local}; }`;
    return name === local ? name : `${name}: ${local}`;
  });
  return `${rest.trimEnd()}\nmodule.exports = {\n\t${members.join(',\n\t')}\n};\n`;
}

/** @returns a name of a chunk that is imported by what it imports itself, if there is one */
export function firstInCircle(chunks) {
  const importsOf = new Map(chunks.map(({ fileName, imports }) => [fileName, imports]));
  const done = new Set();
  const visit = (name, above) => {
    if (above.includes(name)) return name;
    if (done.has(name)) return undefined;
    done.add(name);
    for (const next of importsOf.get(name) ?? []) {
      const found = visit(next, [...above, name]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  for (const { fileName } of chunks) {
    const found = visit(fileName, []);
    if (found !== undefined) return found;
  }
  return undefined;
}
