// How well presses were told: which were missed, what was told and was none, and how late.

/** Times are ns of one clock, in order. */
export interface Seen {
  /** When the contact closed first. */
  readonly closedNs: readonly number[];
  /** Whether a finger did it; else a glitch. */
  readonly press: boolean;
  /** When presses were told. */
  readonly toldNs: readonly number[];
}

/** What became of the closings of a scene. */
export interface Verdict {
  readonly presses: number;
  readonly falsePresses: number;
  readonly missed: number;
  /** From the first contact to the telling, in ns, of each press that was told. */
  readonly latenciesNs: readonly number[];
}

/** What is told belongs to the last closing before it: the first is the press, all others are false, and of a glitch all are. */
export function judge({ closedNs, press, toldNs }: Seen): Verdict {
  const latenciesNs: number[] = [];
  let told = -1;
  let at = -1;
  for (const time of toldNs) {
    while (at + 1 < closedNs.length && (closedNs[at + 1] ?? 0) <= time) at++;
    if (!press || at === told) continue;
    told = at;
    latenciesNs.push(time - (closedNs[at] ?? 0));
  }
  const presses = press ? closedNs.length : 0;
  return {
    presses,
    falsePresses: toldNs.length - latenciesNs.length,
    missed: presses - latenciesNs.length,
    latenciesNs,
  };
}
