/**
 * The candidate that `word` is most likely a slip of: at most a third of its letters (at least one) may be missing,
 * added, wrong or swapped with their neighbour. Undefined when none is that near.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/** Optimal string alignment distance (restricted Damerau-Levenshtein), with three rows of the usual matrix. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const substitution = last[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      const best = Math.min(last[column]! + 1, current[column - 1]! + 1, substitution);
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current.push(swapped ? Math.min(best, beforeLast[column - 2]! + 1) : best);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length]!;
}
