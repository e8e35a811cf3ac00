// What the routes of the API are given by name: lines, hooks; and how a number of an interrupt is written.

import { z } from 'zod';

const NAME_MAX = 64;

/** `:name` of a path. */
export const namedParams = z.strictObject({
  name: z.string().min(1).max(NAME_MAX).describe('as the configuration has it'),
});

/** For a request that takes no body: none, or `null`. */
export const noBody = z.null();
