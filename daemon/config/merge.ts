// One configuration out of several files: mappings unite, lists append, everything else may stand in one file only.

import type { Substitution } from './environment.js';
import { type ConfigPath, describe, type Finding, formatPath } from './errors.js';
import { isMapping, type Part } from './include.js';
import { LISTS, MAPPINGS } from './schema.js';
import type { Place } from './source.js';

/** Where a path of the whole leads: into which file, and where in it. */
export interface Located {
  readonly part: Part;
  readonly path: ConfigPath;
}

/** Something wrong with how the files go together; its path is one of the file. */
export interface PartFinding extends Finding {
  readonly part: Part;
}

/** Several files as one. */
export class Merged {
  readonly value: unknown;
  readonly findings: PartFinding[] = [];
  readonly #root: Part;
  readonly #several: boolean;
  /** By path of the whole, as JSON: of each key at the top, and of each entry. */
  readonly #origins = new Map<string, Located>();

  constructor(root: Part, parts: readonly Part[]) {
    this.#root = root;
    this.#several = parts.length > 1;
    const { value } = root.source;
    this.value = this.#several && isMapping(value) ? this.#unite(parts) : value;
  }

  /** Where something stands. */
  locate(path: ConfigPath): Located {
    const [key, entry, ...rest] = path;
    if (!this.#several || key === undefined) return { part: this.#root, path };
    const origin = entry === undefined ? undefined : this.#origins.get(JSON.stringify([key, entry]));
    if (origin !== undefined) return { part: origin.part, path: [...origin.path, ...rest] };
    return { part: this.#origins.get(JSON.stringify([key]))?.part ?? this.#root, path };
  }

  /** The place of something in its file. */
  place(path: ConfigPath, atKey?: boolean): Place {
    const located = this.locate(path);
    return located.part.source.place(located.path, atKey);
  }

  /** Names the entry at a path: `interrupts[0]`, with its place when there are several files. */
  readonly where = (path: ConfigPath): string => {
    const located = this.locate(path);
    const name = formatPath(located.path);
    return this.#several ? `${name} (${this.#placeText(located)})` : name;
  };

  /** What variables gave at a path. */
  readonly substitutionAt = (path: ConfigPath): Substitution | undefined => {
    const located = this.locate(path);
    return located.part.source.substitutions.get(JSON.stringify(located.path));
  };

  #placeText({ part, path }: Located): string {
    const { line, column } = part.source.place(path, true);
    return `${part.file}:${line}:${column}`;
  }

  #unite(parts: readonly Part[]): Record<string, unknown> {
    const whole: Record<string, unknown> = Object.create(null);
    for (const part of parts) {
      const { value } = part.source;
      if (isMapping(value)) {
        for (const [key, section] of Object.entries(value)) if (key !== 'include') this.#add(whole, part, key, section);
      } else if (value !== null && value !== undefined) {
        this.#refuse(part, [], 'CONFIG_TYPE', `${describe(value)} is not a mapping`, 'write a mapping');
      }
    }
    return whole;
  }

  #refuse(part: Part, path: ConfigPath, code: Finding['code'], message: string, hint: string): void {
    const atKey = code === 'CONFIG_DUPLICATE';
    this.findings.push({ part, path, code, message, hint, atKey });
  }

  #add(whole: Record<string, unknown>, part: Part, key: string, section: unknown): void {
    const first = this.#origins.get(JSON.stringify([key]));
    if (first === undefined) this.#origins.set(JSON.stringify([key]), { part, path: [key] });
    if (Object.hasOwn(MAPPINGS, key) && isMapping(section)) this.#addMapping(whole, part, key, section);
    else if (Object.hasOwn(LISTS, key) && Array.isArray(section)) this.#addList(whole, part, key, section);
    else if (first === undefined) whole[key] = section;
    else if (Object.hasOwn(MAPPINGS, key) || Object.hasOwn(LISTS, key)) {
      const wanted = Object.hasOwn(LISTS, key) ? 'a list' : 'a mapping';
      this.#refuse(part, [key], 'CONFIG_TYPE', `${describe(section)} is not ${wanted}`, `write ${wanted}`);
    } else {
      const message = `${key} stands in two files: it is in ${this.#placeText(first)} already`;
      this.#refuse(part, [key], 'CONFIG_DUPLICATE', message, 'keep one');
    }
  }

  #addMapping(whole: Record<string, unknown>, part: Part, key: string, section: Record<string, unknown>): void {
    const into = whole[key] ?? Object.create(null);
    whole[key] = into;
    // What came first is no mapping; its own check says so.
    if (!isMapping(into)) return;
    for (const [name, value] of Object.entries(section)) {
      const origin = JSON.stringify([key, name]);
      const first = this.#origins.get(origin);
      if (first === undefined) {
        this.#origins.set(origin, { part, path: [key, name] });
        into[name] = value;
        continue;
      }
      const message = `the name ${describe(name)} is taken: ${this.#placeText(first)}`;
      this.#refuse(part, [key, name], 'CONFIG_DUPLICATE', message, 'rename one');
    }
  }

  #addList(whole: Record<string, unknown>, part: Part, key: string, section: readonly unknown[]): void {
    const into = whole[key] ?? [];
    whole[key] = into;
    if (!Array.isArray(into)) return;
    for (const [i, value] of section.entries()) {
      this.#origins.set(JSON.stringify([key, into.length]), { part, path: [key, i] });
      into.push(value);
    }
  }
}
