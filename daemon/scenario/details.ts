// How much a trace tells.

/** What the daemon reports, or what ran in which context as well. */
export const DETAILS = ['events', 'contexts'] as const;
/** One of {@link DETAILS}. */
export type Detail = (typeof DETAILS)[number];
