// What a reload came to, for whoever asked for it and for the log.
import type { ReloadReport } from './control/target.js';

/** Of a reload that left all as it was. */
export function refusedReport(errors: readonly string[]): ReloadReport {
  return { ok: false, errors, sections: {}, restart: [], problems: [], durationNs: 0 };
}
