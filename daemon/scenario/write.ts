// Steps as they are written in a scenario file.
import type { BounceOptions, Fault, Step } from '../../sim-fallback/index.js';
import { formatDuration } from '../config/duration.js';

/** A scenario of steps as a YAML file; `comment` stands above it, a line each. */
export function writeScenario(
  head: { readonly name: string; readonly seed: number; readonly endNs: number },
  steps: readonly Step[],
  comment: readonly string[],
): string {
  const lines = [
    ...comment.flatMap((text) => text.split('\n').map((line) => `# ${line}`.trimEnd())),
    'scenario: 1',
    `name: ${JSON.stringify(head.name)}`,
    `seed: ${head.seed}`,
    `end: ${formatDuration(head.endNs)}`,
    'steps:',
    ...steps.map((step) => `  - ${mapping(written(step))}`),
  ];
  return `${lines.join('\n')}\n`;
}

function mapping(value: object): string {
  const entries = Object.entries(value).map(([key, inner]) => {
    const text =
      typeof inner === 'object' && inner !== null ? mapping(inner) : typeof inner === 'string' ? word(inner) : inner;
    return `${key}: ${text}`;
  });
  return `{ ${entries.join(', ')} }`;
}

/** Words that YAML takes for themselves need no quotes. */
function word(text: string): string {
  const plain = /^[A-Za-z][\w-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return plain || /^\d+(ns|us|ms|s)$/.test(text) ? text : JSON.stringify(text);
}

function bounce({ maxBounces, settleNs, spacing }: BounceOptions): object {
  return {
    ...(maxBounces === undefined ? {} : { count: maxBounces }),
    ...(settleNs === undefined ? {} : { settle: formatDuration(settleNs) }),
    ...(spacing === undefined ? {} : { spacing }),
  };
}

/** A step as a mapping; steps.ts reads it back as the same step. */
export function written({ atNs, action, repeat }: Step): object {
  const at = { at: formatDuration(atNs) };
  const again = repeat === undefined ? {} : { repeat: { every: formatDuration(repeat.everyNs), count: repeat.count } };
  switch (action.kind) {
    case 'press': {
      const { line: press, holdNs, bounce: how } = action;
      const hold = holdNs === undefined ? {} : { hold: formatDuration(holdNs) };
      const bounces = how === undefined ? {} : { bounce: typeof how === 'object' ? bounce(how) : how };
      return { ...at, press, ...hold, ...bounces, ...again };
    }
    case 'release': {
      const { line: release, bounce: how } = action;
      return {
        ...at,
        release,
        ...(how === undefined ? {} : { bounce: typeof how === 'object' ? bounce(how) : how }),
        ...again,
      };
    }
    case 'level':
      return { ...at, level: action.line, value: action.value, ...again };
    case 'fault':
      return { ...at, ...fault(action.fault), ...again };
    case 'hook':
      return { ...at, hook: action.hook, ...payload(action), ...again };
    case 'message':
      return { ...at, message: action.topic, ...payload(action), ...again };
    case 'expect': {
      const { line: expect, ...rest } = action.expect;
      return { ...at, expect, ...rest, ...again };
    }
    case 'expect-text': {
      const { of, text, count } = action.expect;
      return { ...at, [`expect_${of}`]: text, ...(count === undefined ? {} : { count }), ...again };
    }
  }
}

function payload({ payload }: { readonly payload: string }): object {
  return payload === '' ? {} : { payload };
}

function fault(what: Fault): object {
  switch (what.fault) {
    case 'bounce':
      return { fault: 'bounce', line: what.line, bounce: bounce(what.bounce) };
    case 'glitch':
      return { fault: 'glitch', line: what.line, width: formatDuration(what.widthNs) };
    case 'storm':
      return { fault: 'storm', line: what.line, rate: what.ratePerSec, for: formatDuration(what.forNs) };
    case 'stuck':
      return { fault: 'stuck', line: what.line, value: what.value, for: formatDuration(what.forNs) };
    case 'lost':
      return { fault: 'lost', line: what.line, count: what.count };
    case 'late':
      return { fault: 'late', by: formatDuration(what.byNs), for: formatDuration(what.forNs) };
    case 'overflow':
      return { fault: 'overflow', for: formatDuration(what.forNs) };
    case 'unplug':
      return { fault: 'unplug', ...(what.forNs === undefined ? {} : { for: formatDuration(what.forNs) }) };
  }
}
