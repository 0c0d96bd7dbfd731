/** The most runs that go on at once: they wait for clocks more than for processors. */
const AT_ONCE = 4;

/** Does so many runs, each of which tells how it ended; resolves to how often each ending was. */
export async function disturbedRuns(
  runs: number,
  disturbedRun: (run: number) => Promise<string>,
): Promise<ReadonlyMap<string, number>> {
  const endings = new Map<string, number>();
  let next = 0;
  const workOff = async () => {
    while (next < runs) {
      const ending = await disturbedRun(next++);
      endings.set(ending, (endings.get(ending) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, workOff));
  if (process.env.SOAK_RUNS !== undefined) process.stderr.write(`${JSON.stringify(Object.fromEntries(endings))}\n`);
  return endings;
}
