/**
 * How often a property is tried: `runs` times, or SOAK_RUNS times; from the seed SOAK_SEED, or a fresh one that a
 * failure prints.
 */
export function propertyRuns(runs: number): { numRuns: number; seed?: number } {
  const { SOAK_RUNS, SOAK_SEED } = process.env;
  return {
    numRuns: SOAK_RUNS === undefined ? runs : Number(SOAK_RUNS),
    ...(SOAK_SEED === undefined ? {} : { seed: Number(SOAK_SEED) }),
  };
}
