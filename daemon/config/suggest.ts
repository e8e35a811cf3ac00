// "Did you mean …?": the nearest of a set of known words, by edit distance.

/** Edits (insert, delete, replace, swap neighbours) from `a` to `b`. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** Longest word worth comparing: nothing that is known comes near it. */
const LONGEST = 64;

function plain(word: string): string {
  return word.toLowerCase().replaceAll('_', '-');
}

/**
 * The known word that `wrong` was probably meant to be, or `undefined` when none is near: at most one edit in three
 * letters, or one a beginning of the other (`output` for `out`). Case, and `_` for `-`, do not count.
 */
export function nearest(wrong: string, known: Iterable<string>): string | undefined {
  if (wrong.length === 0 || wrong.length > LONGEST) return undefined;
  const typed = plain(wrong);
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const word of known) {
    const target = plain(word);
    let distance = editDistance(typed, target);
    const begins = target.startsWith(typed) || typed.startsWith(target);
    if (begins && Math.min(typed.length, target.length) >= 2) distance = Math.min(distance, 1);
    if (distance > Math.max(1, Math.floor(target.length / 3)) || distance >= bestDistance) continue;
    best = word;
    bestDistance = distance;
  }
  return best;
}
