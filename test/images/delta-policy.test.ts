import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkDeltaNames,
  type DeltaPolicy,
  formatDeltaPolicy,
  parseDeltaPolicy,
  wantedDeltas,
} from '../../src/images/delta-policy.js';
import type { Series } from '../../src/images/series.js';
import { type ImageName, parseImageName } from '../../src/metadata/image-name.js';
import { dailyImages, seriesOf, shuffledImages } from './series-names.js';

const policies = ['neighbours', 'puavo', 'all', 'latest:1', 'latest:3', 'none'] as const;

describe('the text of a delta policy', () => {
  it.each([...policies, 'latest:999999'])('%s is read and written back', (text) => {
    expect(formatDeltaPolicy(parseDeltaPolicy(text))).toBe(text);
  });

  it.each(['', 'neighbors', 'ALL', 'latest', 'latest:', 'latest:0', 'latest:-1', 'latest:1.5', 'latest:1e3', ' all'])(
    '%j is refused with the list of policies',
    (text) => {
      expect(() => parseDeltaPolicy(text)).toThrow(
        expect.objectContaining({
          code: 'USAGE',
          message: `delta policy: expected neighbours, puavo, all, latest:N (N at least 1) or none, found ${JSON.stringify(text)}`,
        }),
      );
    },
  );
});

describe('the deltas of four images A to D', () => {
  const series = seriesOf(dailyImages(4));

  it.each([
    ['neighbours', 'A>B B>C D>C C>D'],
    ['puavo', 'A>B C>B D>B A>C B>C D>C A>D B>D C>D'],
    ['all', 'B>A C>A D>A A>B C>B D>B A>C B>C D>C A>D B>D C>D'],
    ['latest:1', 'C>D'],
    ['latest:2', 'B>D C>D'],
    ['latest:9', 'A>D B>D C>D'],
    ['none', ''],
  ])('under %s are %s, in this order', (policy, expected) => {
    expect(pairs(series, parseDeltaPolicy(policy))).toBe(expected);
  });

  it('follow the order of the list and not the versions', () => {
    const reversed = seriesOf(dailyImages(4).reverse());
    expect(pairs(reversed, { kind: 'puavo' })).toBe('D>C B>C A>C D>B C>B A>B D>A C>A B>A');
    expect(pairs(reversed, { kind: 'latest', count: 1 })).toBe('B>A');
  });

  it('get the extra bases of each target behind the others, repeats and the target itself left out', () => {
    const [a, b, , d] = series.images as [ImageName, ImageName, ImageName, ImageName];
    const [x] = dailyImages(1, 'puavo-os-acme-stretch') as [ImageName];
    const extra = new Map([
      [a.fileName, [x]],
      [d.fileName, [x, b, x, d, a]],
    ]);
    const withExtra = seriesOf(series.images, extra);
    expect(pairs(withExtra, { kind: 'puavo' })).toBe('X>A A>B C>B D>B A>C B>C D>C A>D B>D C>D X>D');
    expect(pairs(withExtra, { kind: 'neighbours' })).toBe('X>A A>B B>C D>C C>D X>D B>D A>D');
    expect(pairs(withExtra, { kind: 'none' })).toBe('');
  });
});

describe('the deltas of any list of up to twelve images', () => {
  it.each(policies)('under %s have no repeats, no delta from an image to itself, and a name each', (text) => {
    const policy = parseDeltaPolicy(text);
    fc.assert(
      fc.property(shuffledImages, (images) => {
        const deltas = wantedDeltas(seriesOf(images), policy);
        expect(new Set(deltas.map(({ fileName }) => fileName)).size).toBe(deltas.length);
        for (const { base, target } of deltas) {
          expect(base).not.toBe(target);
          expect(images).toContain(base);
          expect(images).toContain(target);
        }
        expect(() => checkDeltaNames(deltas)).not.toThrow();
        expect(deltas).toHaveLength(expectedCount(policy, images.length));
      }),
    );
  });

  it.each(['neighbours', 'puavo', 'all'])('under %s lead from every image to the last one', (text) => {
    const policy = parseDeltaPolicy(text);
    fc.assert(
      fc.property(shuffledImages, (images) => {
        const deltas = wantedDeltas(seriesOf(images), policy);
        const reached = new Set(images.slice(-1));
        // Sets visit what is added to them while they are walked.
        for (const target of reached) {
          for (const delta of deltas) if (delta.target === target) reached.add(delta.base);
        }
        expect(reached.size).toBe(images.length);
      }),
    );
  });
});

describe('the check of delta names', () => {
  const [base] = dailyImages(1) as [ImageName];
  const buster = parseImageName('puavo-os-acme-buster-2024-02-01-060000-amd64.img');
  const bullseye = parseImageName('puavo-os-acme-bullseye-2024-02-01-060000-amd64.img');
  const into = (target: ImageName) =>
    wantedDeltas(seriesOf([target], new Map([[target.fileName, [base]]])), { kind: 'puavo' });

  it('refuses one name for deltas to two targets of one stamp, naming both', () => {
    expect(() => checkDeltaNames([...into(buster), ...into(bullseye)])).toThrow(
      expect.objectContaining({
        code: 'NAME',
        message:
          'puavo-os-acme-sid-2024-01-01-060000--2024-02-01-060000-amd64.rdiff: expected one delta of this name, ' +
          `found two from ${base.fileName}, to ${buster.fileName} and to ${bullseye.fileName}`,
      }),
    );
  });

  it('lets two series want the same delta', () => {
    expect(() => checkDeltaNames([...into(buster), ...into(buster)])).not.toThrow();
  });
});

/** Deltas as `base>target`, daily images named A, B, C, … and images of other stems X. */
function pairs(series: Series, policy: DeltaPolicy): string {
  const letter = ({ stem, stamp }: ImageName): string =>
    stem === 'puavo-os-acme-sid' ? String.fromCharCode(64 + Number(stamp.slice(8, 10))) : 'X';
  return wantedDeltas(series, policy)
    .map(({ base, target }) => `${letter(base)}>${letter(target)}`)
    .join(' ');
}

function expectedCount(policy: DeltaPolicy, n: number): number {
  switch (policy.kind) {
    case 'neighbours':
      return n < 2 ? 0 : n;
    case 'puavo':
      return n < 3 ? n * Math.max(0, n - 1) : 3 * (n - 1);
    case 'all':
      return n * Math.max(0, n - 1);
    case 'latest':
      return Math.min(policy.count, Math.max(0, n - 1));
    case 'none':
      return 0;
  }
}
