import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileNameOf } from '../../../src/client/hop.js';
import { buildGraph } from '../../../src/client/plan/graph.js';
import { secondsOf, type UpdatePath } from '../../../src/client/plan/path.js';
import { planUpdate } from '../../../src/client/plan/plan-update.js';
import { rankPaths } from '../../../src/client/plan/ranking.js';
import type { PlanRequest } from '../../../src/client/plan/request.js';
import { pathOf } from '../../../src/client/plan/trail.js';
import { type EnumeratedPath, enumeratePaths } from './brute-force.js';
import { deltaFile, imageFile, localImage, type SampleImage, sampleRequest, versionOf } from './series.js';

const VERSIONS = 6;
const SIZE = 100;
const RUNS = 4_000;
const ROOMY = 1e15;

/** Small numbers, so that there are ties; free disk for a path of the series, by chance, so that it decides. */
const request: fc.Arbitrary<PlanRequest> = fc
  .record({
    images: fc.array(
      fc.record({
        size: fc.integer({ min: SIZE / 2, max: SIZE }),
        deltas: fc.array(
          fc.tuple(
            fc.nat(VERSIONS - 2),
            fc.oneof(fc.nat(SIZE / 10), fc.nat(SIZE)),
            fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
          ),
          { minLength: 1, maxLength: 6 },
        ),
      }),
      { minLength: VERSIONS - 1, maxLength: VERSIONS },
    ),
    hasCompressed: fc.boolean(),
    present: fc.uniqueArray(fc.nat(VERSIONS - 3), { minLength: 1, maxLength: 2 }),
    partialShares: fc.dictionary(fc.nat(40).map(String), fc.double({ min: 0, max: 1, noNaN: true }), { maxKeys: 6 }),
    checkpoint: fc.option(fc.record({ index: fc.nat(4), share: fc.double({ min: 0, max: 1, noNaN: true }) })),
    freeFor: fc.option(fc.nat(24)),
    rates: fc.record({
      downloadBytesPerSecond: fc.constantFrom(1, 4, 64),
      diskBytesPerSecond: fc.constantFrom(1, 16, 256),
      hopSeconds: fc.constantFrom(0, 1, 8),
    }),
    maxHops: fc.integer({ min: 1, max: 5 }),
    wholeImages: fc.boolean(),
    failed: fc.uniqueArray(fc.nat(40), { maxLength: 2 }),
  })
  .map(
    ({ images, hasCompressed, present, partialShares, checkpoint, freeFor, rates, maxHops, wholeImages, failed }) => {
      const samples = images.map(
        ({ size, deltas }, number): SampleImage => ({
          number,
          size,
          diffs: deltas.map(([base, bytes, zstShare], index) => {
            const zstSize = zstShare === undefined || !hasCompressed ? undefined : Math.floor(bytes * zstShare);
            return [base, bytes, `${deltaFile(base, number)}.${index}`, zstSize] as const;
          }),
        }),
      );
      const files = samples.flatMap(({ number, size, diffs = [] }) => [
        [imageFile(number), size] as const,
        ...diffs.flatMap(([, bytes, name, zstSize]) => [
          [name!, bytes] as const,
          ...(zstSize === undefined ? [] : [[`${name}.zst`, zstSize] as const]),
        ]),
      ]);
      const wanted = samples.at(-1)!;
      const [base, deltaBytes, deltaFilename] = wanted.diffs?.[checkpoint?.index ?? 0] ?? [];
      const hasCheckpoint = checkpoint !== null && base !== undefined;
      const partial = new Map(
        files.flatMap(([name, bytes], index) => {
          const share = partialShares[String(index)];
          return share === undefined ? [] : [[name, Math.floor(bytes * share)] as const];
        }),
      );
      const roomy = sampleRequest({
        images: samples,
        wanted: wanted.number,
        present: present.map((number) => localImage(number, images[number]?.size ?? SIZE)),
        device: {
          partial,
          checkpoint: hasCheckpoint
            ? {
                target: versionOf(wanted.number),
                base: versionOf(base),
                deltaFilename: deltaFilename!,
                deltaBytes: Math.floor(deltaBytes! * checkpoint.share),
                targetBytes: Math.floor(wanted.size * checkpoint.share),
              }
            : null,
        },
        rates,
        limits: { maxHops, wholeImages, failed: new Set(failed.flatMap((index) => files[index]?.[0] ?? [])) },
      });
      if (freeFor === null) return roomy;
      const needs = enumeratePaths(roomy).map(({ diskBytes }) => diskBytes);
      const freeBytes = needs.length === 0 ? 0 : needs[freeFor % needs.length]! - (freeFor === 0 ? 1 : 0);
      return { ...roomy, device: { ...roomy.device, freeBytes } };
    },
  );

const filesOf = ({ hops }: UpdatePath): string[] => hops.map(({ hop }) => fileNameOf(hop));

/** By cost, hops and names, as plans promise; sums of round numbers are exact enough to be rounded. */
function inOrder(paths: readonly EnumeratedPath[]): EnumeratedPath[] {
  const price = ({ seconds }: EnumeratedPath) => Math.round(seconds * 1e6);
  const isBefore = (a: EnumeratedPath, b: EnumeratedPath) =>
    a.files.map((file, index) => [file, b.files[index]!] as const).find(([name, other]) => name !== other);
  return [...paths].sort((a, b) => {
    const [name, other] = isBefore(a, b) ?? ['', ''];
    return price(a) - price(b) || a.files.length - b.files.length || (name < other ? -1 : name > other ? 1 : 0);
  });
}

/** Of those that differ only in what is compressed the first. */
function distinct(paths: readonly EnumeratedPath[]): EnumeratedPath[] {
  const seen = new Set<string>();
  return paths.filter(({ ways }) => !seen.has(ways.join('\n')) && seen.add(ways.join('\n')));
}

const waysOf = ({ hops }: UpdatePath): string =>
  hops.map(({ hop }) => (hop.kind === 'image' ? hop.image : hop.delta).filename).join('\n');

/** Where disk is short, the forms in which the deltas of the paths behind the first are fetched are not the best ones for sure. */
function areFormsSettled({ meta, device }: PlanRequest): boolean {
  const isCompressed = meta.images.some(({ diffs }) => diffs.some(({ zst }) => zst !== undefined));
  return !isCompressed || device.freeBytes === ROOMY;
}

describe('a plan, beside every path of a random series', () => {
  it('chooses the cheapest that fits, and shows the next best', () => {
    let [none, several, constrained, compressed, plain] = [0, 0, 0, 0, 0];
    fc.assert(
      fc.property(fc.noBias(request), (one) => {
        const plan = planUpdate(one);
        if (one.device.present.some(({ version }) => version === one.wanted)) {
          expect(plan).toMatchObject({ kind: 'paths', chosen: { hops: [], seconds: 0 }, others: [] });
          return;
        }
        const all = inOrder(enumeratePaths(one));
        if (plan.kind === 'no-path') {
          expect(all).toEqual([]);
          none += 1;
          return;
        }
        const { chosen, others } = plan;
        const shown = [chosen, ...others];
        expect(all.map(({ seconds }) => seconds)).not.toSatisfy((costs: number[]) =>
          costs.some((seconds) => seconds < chosen.seconds - 1e-9),
        );
        expect(filesOf(chosen)).toEqual(all[0]?.files);
        for (const path of shown) {
          const same = all.find(({ files }) => files.join('\n') === filesOf(path).join('\n'));
          expect(same).toMatchObject({ downloadBytes: path.downloadBytes, diskBytes: path.diskBytes });
          expect(path.seconds).toBeCloseTo(same!.seconds, 9);
          expect(path.hops.reduce((sum, hop) => sum + hop.downloadBytes, 0)).toBe(path.downloadBytes);
        }
        if (chosen.hops.some(({ hop }) => hop.kind === 'delta' && hop.zst !== undefined)) compressed += 1;
        if (chosen.hops.some(({ hop }) => hop.kind === 'delta' && hop.delta.zst !== hop.zst)) plain += 1;
        if (shown.length === 3) several += 1;
        if (plan.leftOut.entries.some(({ reason }) => reason.kind === 'needs-space')) constrained += 1;
        expect(new Set(shown.map(waysOf)).size).toBe(shown.length);
        if (!areFormsSettled(one)) return;
        const expected = distinct(all).slice(0, 3);
        const whole = all.find(({ files }) => files.join() === imageFile(Number(one.wanted.slice(-6))));
        if (whole !== undefined && !expected.includes(whole)) expected[2] = whole;
        expect(shown.map(filesOf)).toEqual(expected.map(({ files }) => files));
      }),
      { numRuns: RUNS },
    );
    // What is tested has to occur.
    expect(Math.min(none, several, constrained, compressed, plain)).toBeGreaterThan(RUNS / 100);
  });

  it('could show more than it does: the cheapest ten are in order', () => {
    fc.assert(
      fc.property(request, (one) => {
        const wanted = one.meta.images.find(({ version }) => version === one.wanted)!;
        if (one.device.present.some(({ version }) => version === one.wanted)) return;
        if (!areFormsSettled(one)) return;
        const graph = buildGraph(one, wanted);
        const { fitting } = rankPaths(graph, 10, (costs, hops) => secondsOf(costs, hops, one.rates));
        expect(fitting.map((trail) => filesOf(pathOf(trail, graph, one.rates)))).toEqual(
          distinct(inOrder(enumeratePaths(one)))
            .slice(0, 10)
            .map(({ files }) => files),
        );
      }),
      { numRuns: RUNS / 4 },
    );
  });

  it('is the same whatever the order of images and deltas', () => {
    fc.assert(
      fc.property(request, (one) => {
        const images = one.meta.images.map((image) => ({ ...image, diffs: image.diffs.toReversed() })).reverse();
        const present = one.device.present.toReversed();
        const other = planUpdate({ ...one, meta: { ...one.meta, images }, device: { ...one.device, present } });
        expect(namesIn(other)).toEqual(namesIn(planUpdate(one)));
      }),
    );
  });
});

function namesIn(plan: ReturnType<typeof planUpdate>): unknown {
  const leftOut = plan.leftOut.entries.map(({ filenames }) => filenames);
  return plan.kind === 'paths' ? [[plan.chosen, ...plan.others].map(filesOf), leftOut] : [plan.why, leftOut];
}
