// What is done to the chunks of the bundle, so that a start touches less memory.

/** What a start has no need of, and Node loads when it is asked for the first time. */
const LATE = ['node:child_process', 'node:http'];

/**
 * Has the modules of {@link LATE} required where they are used.
 *
 * @param code of a chunk
 */
export function requireLate(code) {
  let result = code;
  for (const id of LATE) {
    const [line, name] = new RegExp(`^\\t*(?:const|let) ([\\w$]+) = require\\("${id}"\\);\\n`, 'm').exec(result) ?? [];
    if (name === undefined) continue;
    const rest = result.replace(line, '');
    const uses = rest.match(new RegExp(`(?<![\\w$.])${name}(?![\\w$])`, 'g')) ?? [];
    const late = rest.replaceAll(new RegExp(`(?<![\\w$.])${name}(?=\\.\\w)`, 'g'), `require("${id}")`);
    if (late.split(`require("${id}").`).length - 1 !== uses.length) throw new Error(`${id} is used as a whole`);
    result = late;
  }
  return result;
}

/** rolldown defines a getter for each name that a chunk exports, and hundreds of those take more than some parts of the program. */
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
