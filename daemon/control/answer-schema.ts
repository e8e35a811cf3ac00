// How answers of the API are described: JSON Schemas whose members are those of the type, no more and no fewer.

/** A JSON Schema (2020-12), as OpenAPI 3.1 takes it. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly [keyword: string]: unknown;
}

/** Keys of members that may be absent. */
type Optional<T> = { [K in keyof T]-?: Record<never, never> extends Pick<T, K> ? K : never }[keyof T];

/**
 * An object.
 *
 * @param optional keys that may be absent: of `T` all that may, or it does not compile
 */
export function objectOf<T>(
  description: string,
  properties: { readonly [K in keyof T]-?: Schema },
  ...optional: [Optional<T>] extends [never] ? [] : [optional: { readonly [K in Optional<T>]: true }]
): Schema {
  const [absent = {}] = optional;
  const required = Object.keys(properties).filter((key) => !(key in absent));
  return { type: 'object', description, properties, required };
}

/** Another schema, by its name. */
export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

export function list(items: Schema, description?: string): Schema {
  return { type: 'array', items, ...(description === undefined ? {} : { description }) };
}

/** A whole number, 0 or more. */
export function count(description: string): Schema {
  return { type: 'integer', minimum: 0, description };
}

/** A {@link count} that some drivers cannot know. */
export function knownCount(description: string): Schema {
  return { oneOf: [{ type: 'integer', minimum: 0 }, { const: 'unknown' }], description };
}

export function text(description: string): Schema {
  return { type: 'string', description };
}

export function flag(description: string): Schema {
  return { type: 'boolean', description };
}

export function word(values: readonly (string | number)[], description: string): Schema {
  return { enum: values, description };
}
