// Keeping secrets out of logs: fields that are called like one are not shown, wherever they come along.

/** What stands in the place of a secret. */
const CENSORED = '[not shown]';
/** Names of fields, in lower case. Whole mappings of headers and variables: a token may be in any of them. */
const SECRETS = new Set([
  ...['password', 'passphrase', 'passwd', 'secret', 'token', 'authorization', 'cookie', 'set-cookie'],
  ...['key', 'cert', 'pfx', 'headers', 'env'],
]);
/** Deeper down is what nobody logs knowingly. */
const DEPTH = 4;

/** A log line's fields without secrets: the same object when it has none, else a copy. */
export function withoutSecrets(fields: Record<string, unknown>): Record<string, unknown> {
  return scrub(fields, DEPTH);
}

function scrub(fields: Record<string, unknown>, depth: number): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  for (const name in fields) {
    const value = fields[name];
    const shown = SECRETS.has(name.toLowerCase()) ? hidden(value) : depth > 0 ? within(value, depth - 1) : value;
    if (shown === value) continue;
    copy ??= { ...fields };
    copy[name] = shown;
  }
  return copy ?? fields;
}

function hidden(value: unknown): unknown {
  return value === undefined || value === null || value === '' ? value : CENSORED;
}

/** An error is left to its serializer, which makes a mapping of it. */
function within(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  if (Array.isArray(value)) return depth > 0 ? value.map((entry) => within(entry, depth - 1)) : value;
  return scrub(value as Record<string, unknown>, depth);
}
