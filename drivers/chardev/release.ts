// What a kernel of some release does and another does not.

/** Since Linux 6.6 a chip that goes away wakes those who poll it or its lines; before, only their next call finds it gone. */
const WAKES_SINCE = { major: 6, minor: 6 } as const;

/**
 * Whether a kernel tells its pollers that a chip goes away.
 *
 * @param release as `uname -r` gives it, e.g. `6.12.47+rpt-rpi-v8`. One that cannot be read counts as old.
 */
export function wakesOnUnplug(release: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  if (Number(major) !== WAKES_SINCE.major) return Number(major) > WAKES_SINCE.major;
  return Number(minor) >= WAKES_SINCE.minor;
}
