// How docstrings come apart.
import { describe, expect, it } from 'vitest';
import { parseDocstring } from './docstring.js';

describe('parseDocstring', () => {
  it('takes the context and the errors out of the text', () => {
    expect(
      parseDocstring('/** Disables a line (disable_irq_nosync). Any context. `EINVAL` for an unknown irq. */'),
    ).toEqual({
      text: 'Disables a line (disable_irq_nosync).',
      context: 'Any context.',
      params: [],
      returns: undefined,
      errors: ['`EINVAL` for an unknown irq.'],
    });
  });

  it('leaves a context that is spoken of where it is', () => {
    expect(parseDocstring('/** The context may be any context. */')).toMatchObject({ context: undefined });
  });

  it('joins lines, keeps paragraphs and code blocks, and reads tags that run on', () => {
    const doc = `/**
     * Two
     * lines, e.g. Here.
     *
     * \`\`\`ts
     * const a = 1;   // Any context.
     *   indented();
     * \`\`\`
     *
     * @param a one
     *   and more
     * @returns it
     * @throws KernelError EBUSY (taken)
     */`;
    expect(parseDocstring(doc)).toEqual({
      text: 'Two lines, e.g. Here.\n\n```ts\nconst a = 1;   // Any context.\n  indented();\n```',
      context: undefined,
      params: [{ name: 'a', text: 'one and more' }],
      returns: 'it',
      errors: ['EBUSY (taken)'],
    });
  });

  it('says nothing of what has no docstring', () => {
    expect(parseDocstring(undefined)).toEqual({
      text: '',
      context: undefined,
      params: [],
      returns: undefined,
      errors: [],
    });
  });
});
