// What a reload came to, for whoever asked for it and for the log.
import { KernelError } from '../kernel/errno.js';
import { type ListDiff, nameOf, type ValueDiff } from './config/diff.js';
import type { ReloadReport, SectionReport } from './control/target.js';
import { keyInFile, type ReloadPlan } from './reload-plan.js';

/** Why nothing is reloaded any more. */
export const STOPPING = 'the daemon is stopping';

/** An error in one line, as mistakes of a configuration are told: what is wrong, its code, and what to do. */
export function refusalOf(error: unknown): string {
  if (!(error instanceof KernelError)) return error instanceof Error ? error.message : String(error);
  return `${error.message} (${error.code})${error.hint === undefined ? '' : `; ${error.hint}`}`;
}

/** Of a reload that left all as it was. */
export function refusedReport(errors: readonly string[]): ReloadReport {
  return { ok: false, errors, sections: {}, restart: [], problems: [], durationNs: 0 };
}

/** Of a reload that took effect. */
export function takenOverReport(plan: ReloadPlan, problems: readonly string[], durationNs: number): ReloadReport {
  const { diff, restart } = plan;
  const sections = Object.entries(diff).flatMap(([key, section]) => {
    const report = sectionReport(keyInFile(key), section);
    return report === undefined ? [] : [[keyInFile(key), report] as const];
  });
  return { ok: true, errors: [], sections: Object.fromEntries(sections), restart, problems, durationNs };
}

function sectionReport(key: string, diff: ListDiff<unknown> | ValueDiff<unknown>): SectionReport | undefined {
  if ('added' in diff) {
    const { added, changed, removed, kept } = diff;
    if (added.length + changed.length + removed.length + kept.length === 0) return undefined;
    return {
      added: added.map(nameOf),
      changed: changed.map(({ after }) => nameOf(after)),
      removed: removed.map(nameOf),
      kept: kept.length,
    };
  }
  const { before, after, changed } = diff;
  const none: readonly string[] = [];
  if (!changed) return after === undefined ? undefined : { added: none, changed: none, removed: none, kept: 1 };
  return {
    added: before === undefined ? [key] : none,
    changed: before !== undefined && after !== undefined ? [key] : none,
    removed: after === undefined ? [key] : none,
    kept: 0,
  };
}

/** What was touched, a section each: `lines: +led2 ~button1 -led1`. */
export function changesOf({ sections }: ReloadReport): string[] {
  return Object.entries(sections).flatMap(([section, { added, changed, removed }]) => {
    const names = [
      ...added.map((name) => `+${name}`),
      ...changed.map((name) => `~${name}`),
      ...removed.map((name) => `-${name}`),
    ];
    return names.length === 0 ? [] : `${section}: ${names.join(' ')}`;
  });
}
