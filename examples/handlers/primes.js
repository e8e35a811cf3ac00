// A module for a worker thread: its default function gets the edge, and what it returns goes to the log.

/** Counts the primes below a million, by the sieve of Eratosthenes. */
export default function primes(edge) {
  const composite = new Uint8Array(1_000_000);
  let count = 0;
  for (let n = 2; n < composite.length; n++) {
    if (composite[n] === 1) continue;
    count++;
    for (let multiple = n * n; multiple < composite.length; multiple += n) composite[multiple] = 1;
  }
  return `edge ${edge.seqno} of ${edge.line}: ${count} primes`;
}
