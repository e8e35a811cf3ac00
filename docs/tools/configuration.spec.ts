// The page of the configuration and the schema for editors say what the loader does.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { formatConfigError } from '../../daemon/config/errors.js';
import { describedSchema, type JsonSchema } from '../../daemon/config/json-schema.js';
import { parseConfig } from '../../daemon/config/load.js';
import { configurationFiles, configurationPage } from './configuration.js';
import { SECTION_EXAMPLES } from './configuration-text.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('what is made of the configuration’s schema', () => {
  it.each([...configurationFiles().keys()])('%s is up to date', (path) => {
    const committed = readFileSync(`${root}/${path}`, 'utf8');
    expect(committed === configurationFiles().get(path), 'run `npm run docs`').toBe(true);
  });

  it('has examples that are one configuration', () => {
    const result = parseConfig([...SECTION_EXAMPLES.values()].join(''), `${root}/docs/configuration.yaml`);
    expect(result.ok ? [] : result.errors.map(formatConfigError)).toEqual([]);
  });

  it('explains every key', () => {
    const silent: string[] = [];
    const look = (schema: JsonSchema, path: string): void => {
      for (const [key, inner] of Object.entries(schema.properties ?? {})) {
        if ((inner.description ?? '') === '' && inner.$ref === undefined) silent.push(`${path}.${key}`);
        look(inner, `${path}.${key}`);
      }
      for (const inner of Object.values(schema.definitions ?? {})) look(inner, path);
      for (const inner of schema.anyOf ?? []) look(inner, path);
      if (schema.items !== undefined) look(schema.items, `${path}[]`);
      if (typeof schema.additionalProperties === 'object') look(schema.additionalProperties, `${path}.*`);
    };
    look(describedSchema(), '');
    expect(silent).toEqual([]);
  });

  it('has a table for every section, and links that lead to headings', () => {
    const page = configurationPage();
    const told = (key: string) => page.includes(`\n| \`${key}\` |`) || page.includes(`\n## ${key}\n`);
    expect(Object.keys(describedSchema().properties ?? {}).filter((key) => !told(key))).toEqual([]);
    const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
      title.toLowerCase().replaceAll(' ', '-'),
    );
    for (const [, anchor = ''] of page.matchAll(/\]\(#([^)]*)\)/g)) expect(headings).toContain(anchor);
  });
});
