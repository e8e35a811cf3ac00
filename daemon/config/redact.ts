// Keeping what variables gave out of messages: it may be a secret, and messages end in logs.

import type { Substitution } from './environment.js';
import { type Finding, printable } from './errors.js';

/** Shorter texts are no secret, and would be found in words that have nothing to do with them. */
const SHORTEST = 4;

function mentions(text: string, secret: string): boolean {
  return secret !== '' && (text.includes(secret) || text.includes(printable(secret)));
}

/** What is said instead of a message about such a value. The hint stays as far as it does not tell the value. */
export function redactValue<F extends Finding<string>>(finding: F, substitution: Substitution | undefined): F {
  if (substitution === undefined || finding.atKey === true) return finding;
  const { raw, text } = substitution;
  const { hint, suggestion, ...rest } = finding;
  const message = `the value of '${printable(raw)}' does not fit here`;
  const kept = hint === undefined || mentions(hint, text) ? {} : { hint };
  return { ...(rest as F), message, ...kept };
}

/** Puts the variables back in place of what they gave, wherever a finding mentions it. */
export function redactMentions<F extends Finding<string>>(finding: F, substitutions: Iterable<Substitution>): F {
  let { message, hint } = finding;
  for (const { raw, text } of substitutions) {
    if (text.length < SHORTEST) continue;
    for (const shown of new Set([text, printable(text)])) {
      message = message.replaceAll(shown, raw);
      hint = hint?.replaceAll(shown, raw);
    }
  }
  return { ...finding, message, ...(hint === undefined ? {} : { hint }) };
}
