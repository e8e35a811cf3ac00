// Who may open a device file: its owner, its group and its mode, and what this user lacks.
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Who may open a device file. */
export interface DeviceAccess {
  /** Name, or number when `/etc/passwd` has none. */
  readonly owner: string;
  /** Name, or number when `/etc/group` has none. */
  readonly group: string;
  /** Octal, e.g. `0660`. */
  readonly mode: string;
  /** This process may read and write it, as far as file permissions go. */
  readonly permitted: boolean;
  /** This process is in the group. */
  readonly inGroup: boolean;
  /** What to do when it is not permitted; undefined when it is. */
  readonly hint: string | undefined;
}

/** Who asks, and where names of users and groups are. */
export interface AccessSources {
  /** Default `/etc`. */
  readonly etcDir: string;
  /** Name of the user; default: the one of this process. */
  readonly user: string;
  /** Groups of this process; default: what the system says. */
  readonly groups: readonly number[];
  /** Whether this process may read and write a file; default: what the system says. */
  readonly mayUse: (path: string) => boolean;
}

/** Whether this process may read and write a file, by its permissions. */
export function mayUse(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Undefined for a file that is not there. */
export function accessOf(path: string, from: AccessSources): DeviceAccess | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const groups = entries(join(from.etcDir, 'group'));
  const owner = nameOf(entries(join(from.etcDir, 'passwd')), stat.uid);
  const group = nameOf(groups, stat.gid);
  const inGroup = from.groups.includes(stat.gid);
  const permitted = from.mayUse(path);
  const members = groups.find(([, , id]) => id === String(stat.gid))?.[3] ?? '';
  const base = { owner, group, mode: (stat.mode & 0o7777).toString(8).padStart(4, '0'), permitted, inGroup };
  return { ...base, hint: permitted ? undefined : remedy(from.user, base, stat.gid, members.split(',')) };
}

function remedy(
  user: string,
  { group, mode, inGroup }: Pick<DeviceAccess, 'group' | 'mode' | 'inGroup'>,
  gid: number,
  members: readonly string[],
): string {
  if (gid === 0 || (Number.parseInt(mode, 8) & 0o060) !== 0o060) {
    return 'it is for root alone: install the udev rule (npm run install:systemd does), or run as root';
  }
  if (inGroup) return `the group ${group} may use it and ${user} is in it, yet it is refused: see its ACL (getfacl)`;
  if (members.includes(user)) return `${user} was added to the group ${group} after this login: log in again`;
  return `${user} is not in the group ${group}: sudo usermod -aG ${group} ${user}, then log in again`;
}

/** Lines of /etc/passwd or /etc/group, by their fields. None where there is no such file. */
function entries(file: string): string[][] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  } catch {
    return [];
  }
}

function nameOf(known: readonly (readonly string[])[], id: number): string {
  return known.find((fields) => fields[2] === String(id))?.[0] ?? String(id);
}
