// What a kernel of some release does and another does not.

/** A release of Linux. */
interface Release {
  readonly major: number;
  readonly minor: number;
}

/** Since then a chip that goes away wakes those who poll it or its lines; before, only their next call finds it gone. */
const WAKES_SINCE: Release = { major: 6, minor: 6 };
/** Since then lines that a new configuration gives no direction are left as they are; some before lose their flags. */
const SKIPS_SINCE: Release = { major: 6, minor: 10 };

function isSince(release: string, since: Release): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  if (Number(major) !== since.major) return Number(major) > since.major;
  return Number(minor) >= since.minor;
}

/**
 * Whether a kernel tells its pollers that a chip goes away.
 *
 * @param release as `uname -r` gives it, e.g. `6.12.47+rpt-rpi-v8`. One that cannot be read counts as old.
 */
export function wakesOnUnplug(release: string): boolean {
  return isSince(release, WAKES_SINCE);
}

/** Whether a kernel leaves lines of a request alone that their new configuration gives no direction; `release` as above. */
export function skipsLinesWithoutDirection(release: string): boolean {
  return isSince(release, SKIPS_SINCE);
}
