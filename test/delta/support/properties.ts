/** So often a property is tried that SOAK_RUNS counts the cases of. */
const USUAL_RUNS = 200;

/**
 * How often a property is tried: `runs` times, fewer the longer a case takes, and in a soak in proportion to that, a
 * usual one SOAK_RUNS times; from the seed SOAK_SEED, or a fresh one that a failure prints.
 */
export function propertyRuns(runs: number): { numRuns: number; seed?: number } {
  const { SOAK_RUNS, SOAK_SEED } = process.env;
  return {
    numRuns: SOAK_RUNS === undefined ? runs : Math.ceil((runs / USUAL_RUNS) * Number(SOAK_RUNS)),
    ...(SOAK_SEED === undefined ? {} : { seed: Number(SOAK_SEED) }),
  };
}
