// What the system denies to a user. Root is denied nothing, and does it with the rights of another user.

const STRANGER = 12_345;

/** Does something with no more rights than anybody has. What it is denied is of mode 000, or in such a folder. */
export async function unprivileged<T>(doIt: () => T | Promise<T>): Promise<T> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(STRANGER);
  try {
    return await doIt();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
