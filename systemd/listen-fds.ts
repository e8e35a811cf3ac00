// Descriptors that the service manager passes to a process at its start, as sd_listen_fds_with_names(3) finds them.

/** An open descriptor, and the name that it was kept under. */
export interface InheritedFd {
  readonly fd: number;
  readonly name: string;
}

/** SD_LISTEN_FDS_START. */
const FIRST_FD = 3;
/** What sd_listen_fds_with_names(3) calls a descriptor that came without a name. */
const NAMELESS = 'unknown';
/** More than any service manager passes on; beyond it the number is a mistake. */
const MOST = 4_096;

/**
 * The descriptors that were passed to this process: whoever calls this owns them. Takes them off the environment, so that
 * programs that it starts do not take them for their own; the variables that are meant for another process go as well.
 *
 * @param env changed: `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES` are gone from it.
 */
export function takeInheritedFds(env: Record<string, string | undefined>, pid: number): readonly InheritedFd[] {
  const { LISTEN_PID: owner, LISTEN_FDS: count, LISTEN_FDNAMES: names } = env;
  delete env.LISTEN_PID;
  delete env.LISTEN_FDS;
  delete env.LISTEN_FDNAMES;
  if (owner !== String(pid) || count === undefined || !/^[0-9]{1,4}$/.test(count)) return [];
  const number = Number(count);
  if (number > MOST) return [];
  const name = names?.split(':') ?? [];
  return Array.from({ length: number }, (_, i) => ({ fd: FIRST_FD + i, name: name[i] ?? NAMELESS }));
}
