import { describe, expect, it } from 'vitest';
import { fileNameOf } from '../../../src/client/hop.js';
import { planUpdate, type UpdatePlan } from '../../../src/client/plan/plan-update.js';
import type { Sha256Hex } from '../../../src/metadata/brands.js';
import { deltaFile, imageFile, localImage, type Sample, type SampleImage, sampleRequest, versionOf } from './series.js';

/** From 1 to 4 by 2 and 3; each image is 1000 bytes, a direct delta 500, a step 100. */
const STEPS: readonly SampleImage[] = [
  { number: 1, size: 1000, diffs: [[2, 100]] },
  { number: 2, size: 1000, diffs: [[1, 100]] },
  { number: 3, size: 1000, diffs: [[2, 100]] },
  {
    number: 4,
    size: 1000,
    diffs: [
      [3, 100],
      [1, 500],
    ],
  },
];
const IN_STEPS = [deltaFile(1, 2), deltaFile(2, 3), deltaFile(3, 4)];
const from1 = { images: STEPS, wanted: 4, present: [localImage(1, 1000)] };

function plan(sample: Sample): UpdatePlan {
  return planUpdate(sampleRequest(sample));
}

function pathsOf(found: UpdatePlan): string[][] {
  if (found.kind === 'no-path') throw new Error(found.why.message);
  return [found.chosen, ...found.others].map(({ hops }) => hops.map(({ hop }) => fileNameOf(hop)));
}

describe('the plan of an update', () => {
  it('is empty where the wanted version is here', () => {
    const here = plan({ ...from1, wanted: 1 });
    expect(here).toMatchObject({ kind: 'paths', chosen: { seconds: 0, reason: { kind: 'present' } }, others: [] });
    expect(pathsOf(here)).toEqual([[]]);
    const gone = plan({ images: STEPS.slice(1), wanted: 1, present: [localImage(1, 1000)] });
    expect(pathsOf(gone)).toEqual([[]]);
  });

  it('is the cheapest path, with the next best and what they cost more', () => {
    const found = plan(from1);
    expect(pathsOf(found)).toEqual([IN_STEPS, [deltaFile(1, 4)], [imageFile(4)]]);
    // 300 bytes at 10 a second; 2 deltas written and read, a base read, a target written: 2,400 bytes at 1,000; 3 hops.
    expect(found).toMatchObject({
      chosen: { downloadBytes: 300, workBytes: 2400, diskBytes: 1200, seconds: 30 + 2.4 + 3 },
      others: [
        { downloadBytes: 500, workBytes: 2000, diskBytes: 1000, reason: { kind: 'more-download', bytes: 200 } },
        { downloadBytes: 1000, workBytes: 1000, diskBytes: 1000, reason: { kind: 'more-download', bytes: 700 } },
      ],
      leftOut: { entries: [], more: 0 },
    });
  });

  it('has all of a last delta that is kept fetched and on the disk', () => {
    const checkpoint = {
      target: versionOf(4),
      base: versionOf(1),
      deltaFilename: deltaFile(1, 4),
      deltaBytes: 400,
      targetBytes: 800,
    };
    const kept = plan({ ...from1, device: { checkpoint }, limits: { maxHops: 1, keepsDeltas: true } });
    // The delta is written and read; 200 bytes of the target are left to be made, from as many of the base.
    expect(kept).toMatchObject({ chosen: { downloadBytes: 500, workBytes: 1000 + 400, diskBytes: 500 + 200 } });
  });

  it('takes no more hops than are allowed', () => {
    expect(pathsOf(plan({ ...from1, limits: { maxHops: 3 } }))[0]).toEqual(IN_STEPS);
    expect(pathsOf(plan({ ...from1, limits: { maxHops: 2 } }))[0]).toEqual([deltaFile(1, 4)]);
  });

  it('starts from whichever version on the device is nearest', () => {
    expect(pathsOf(plan({ ...from1, present: [localImage(1, 1000), localImage(3, 1000)] }))[0]).toEqual([
      deltaFile(3, 4),
    ]);
  });

  it('goes back to an older version by a delta, too', () => {
    expect(pathsOf(plan({ ...from1, wanted: 1, present: [localImage(2, 1000)] }))[0]).toEqual([deltaFile(2, 1)]);
  });

  it('starts from a version that the mirror no longer lists', () => {
    const images: SampleImage[] = [{ number: 4, size: 1000, diffs: [[0, 300]] }];
    expect(pathsOf(plan({ images, wanted: 4, present: [localImage(0, 900)] }))[0]).toEqual([deltaFile(0, 4)]);
  });

  it('is the whole image where nothing is here, and never a path through an image that is', () => {
    expect(pathsOf(plan({ ...from1, present: [] }))[0]).toEqual([imageFile(4)]);
    for (const path of pathsOf(plan({ ...from1, present: [localImage(2, 1000)] }))) {
      expect(path).not.toContain(deltaFile(1, 2));
      expect(path).not.toContain(imageFile(2));
    }
  });

  it('begins with an older whole image where most of it is on disk', () => {
    const device = { partial: new Map([[imageFile(3), 990]]) };
    const found = plan({ ...from1, present: [], device });
    expect(pathsOf(found)[0]).toEqual([imageFile(3), deltaFile(3, 4)]);
    expect(found).toMatchObject({ chosen: { downloadBytes: 110, diskBytes: 10 + 1000, workBytes: 10 + 2000 } });
  });

  it('counts only what is left of files that are on disk in part', () => {
    const device = { partial: new Map([[deltaFile(1, 4), 450]]) };
    expect(plan({ ...from1, device })).toMatchObject({
      chosen: { downloadBytes: 50, hops: [{ downloadBytes: 50, hop: { delta: { filename: deltaFile(1, 4) } } }] },
    });
  });

  it('goes on with an image that is being made where that saves most', () => {
    const checkpoint = {
      target: versionOf(4),
      base: versionOf(1),
      deltaFilename: deltaFile(1, 4),
      deltaBytes: 400,
      targetBytes: 750,
    };
    expect(plan({ ...from1, device: { checkpoint } })).toMatchObject({
      chosen: { downloadBytes: 100, workBytes: 500, diskBytes: 250, hops: [{ hop: { base: versionOf(1) } }] },
    });
    // Of another base it only occupies the place of the image.
    const other = { ...checkpoint, base: versionOf(2) };
    expect(plan({ ...from1, device: { checkpoint: other } })).toMatchObject({
      chosen: { downloadBytes: 300, workBytes: 2400, diskBytes: 1200 - 750 },
    });
  });

  it('prefers what fits the disk, and says what would have been cheaper', () => {
    const found = plan({ ...from1, device: { freeBytes: 1199 } });
    expect(pathsOf(found)[0]).toEqual([deltaFile(1, 4)]);
    expect(found.leftOut.entries).toEqual([
      { filenames: IN_STEPS, reason: { kind: 'needs-space', neededBytes: 1200, freeBytes: 1199 } },
    ]);
    expect(pathsOf(plan({ ...from1, device: { freeBytes: 1200 } }))[0]).toEqual(IN_STEPS);
  });

  it('shows the whole image, however many paths are cheaper', () => {
    const diffs = [100, 101, 102, 103].map((size) => [1, size, `${size}.rdiff`] as const);
    const found = plan({ images: [{ number: 2, size: 1000, diffs }], wanted: 2, present: [localImage(1, 1000)] });
    expect(pathsOf(found)).toEqual([['100.rdiff'], ['101.rdiff'], [imageFile(2)]]);
  });

  it('takes fewer hops, then the earlier names, of paths that cost the same', () => {
    const images: SampleImage[] = [
      { number: 2, size: 1000, diffs: [[1, 0]] },
      { number: 3, size: 1000, diffs: [1, 2].flatMap((base) => [[base, 0, `${base}b.rdiff`] as const]).reverse() },
    ];
    const free = { images, wanted: 3, present: [localImage(1, 1000)], rates: { hopSeconds: 0 } };
    expect(pathsOf(plan(free)).slice(0, 2)).toEqual([['1b.rdiff'], [deltaFile(1, 2), '2b.rdiff']]);
    const twins = { number: 3, size: 1000, diffs: ['y', 'x', 'z'].map((name) => [1, 0, `${name}.rdiff`] as const) };
    expect(pathsOf(plan({ ...free, images: [twins], limits: { wholeImages: false } }))).toEqual([
      ['x.rdiff'],
      ['y.rdiff'],
      ['z.rdiff'],
    ]);
  });

  it('says what speaks against a path: download, then disk work, then hops, or nothing but names', () => {
    const images: SampleImage[] = [
      { number: 2, size: 1000, diffs: [[1, 0]] },
      {
        number: 3,
        size: 1000,
        diffs: [
          [1, 10],
          [1, 10, 'twin.rdiff'],
          [2, 10],
        ],
      },
    ];
    const limits = { wholeImages: false };
    const reasons = (sample: Sample) => {
      const found = plan({ ...sample, wanted: 3, limits });
      return found.kind === 'paths' ? found.others.map(({ reason }) => reason) : [];
    };
    const here = { images, wanted: 3, present: [localImage(1, 1000)] };
    expect(reasons(here)).toEqual([{ kind: 'same-cost' }, { kind: 'more-hops', hops: 1 }]);
    const larger = { ...here, present: [localImage(1, 900), localImage(2, 1000)] };
    expect(reasons(larger)).toEqual([{ kind: 'same-cost' }, { kind: 'more-work', bytes: 100 }]);
  });

  it('names what was left out, and how much more', () => {
    const diffs = [
      [1, 799],
      [2, 800],
      [3, 910],
      [9, 10],
      ...Array.from({ length: 10 }, (_, index) => [5, 1000, `large-${index}.rdiff`] as const),
    ] as const;
    const { leftOut, ...found } = plan({
      images: [{ number: 4, size: 1000, diffs }],
      wanted: 4,
      present: [1, 2, 3].map((number) => localImage(number, 1000)),
      limits: { failed: new Set([deltaFile(9, 4)]), wholeImages: false },
    });
    expect(pathsOf({ leftOut, ...found } as UpdatePlan)).toEqual([[deltaFile(1, 4)]]);
    expect(leftOut.entries.slice(0, 4)).toEqual([
      { filenames: [deltaFile(9, 4)], reason: { kind: 'failed' } },
      { filenames: [imageFile(4)], reason: { kind: 'whole-images-off' } },
      { filenames: [deltaFile(2, 4)], reason: { kind: 'delta-share', share: 0.8 } },
      { filenames: [deltaFile(3, 4)], reason: { kind: 'delta-share', share: 0.91 } },
    ]);
    expect([leftOut.entries.length, leftOut.more]).toEqual([10, 4]);
  });

  it("does not start from an image that is not the mirror's, nor from a base that is nowhere", () => {
    const changed = { ...localImage(1, 1000), sha256: 'f'.repeat(64) as Sha256Hex };
    const images: SampleImage[] = [
      { number: 1, size: 1000 },
      {
        number: 4,
        size: 1000,
        diffs: [
          [1, 10],
          [7, 10],
        ],
      },
    ];
    const found = plan({ images, wanted: 4, present: [changed] });
    expect(pathsOf(found)).toEqual([[imageFile(4)], [imageFile(1), deltaFile(1, 4)]]);
    expect(found.leftOut.entries).toEqual([
      { filenames: [imageFile(1)], reason: { kind: 'other-bytes' } },
      { filenames: [deltaFile(7, 4)], reason: { kind: 'no-base', base: versionOf(7) } },
    ]);
    expect(pathsOf(plan({ images, wanted: 1, present: [changed] }))).toEqual([[imageFile(1)]]);
  });

  it('leaves out deltas from an image to itself', () => {
    const images: SampleImage[] = [
      {
        number: 4,
        size: 1000,
        diffs: [
          [4, 0],
          [1, 500],
        ],
      },
    ];
    expect(pathsOf(plan({ images, wanted: 4, present: [localImage(1, 1000)] }))).toEqual([
      [deltaFile(1, 4)],
      [imageFile(4)],
    ]);
  });
});

describe('where there is no path, the plan says', () => {
  const failed = (...names: string[]) => ({ failed: new Set(names) });

  it.each<[string, Sample, string, string]>([
    [
      'that the mirror has no such version',
      { ...from1, wanted: 5 },
      'NOT_FOUND',
      `found 4 others, the newest ${versionOf(4)}`,
    ],
    ['that the mirror has nothing', { images: [], wanted: 5 }, 'NOT_FOUND', 'found no image'],
    [
      'how much disk the smallest path needs',
      { ...from1, device: { freeBytes: 999 } },
      'NO_SPACE',
      '1000 bytes of free disk, found 999',
    ],
    [
      'that the whole image is not allowed',
      { ...from1, present: [], limits: { wholeImages: false } },
      'CONFIG',
      'no version is here',
    ],
    [
      'which versions are here',
      { ...from1, limits: { wholeImages: false, maxHops: 2, ...failed(deltaFile(1, 4)) } },
      'CONFIG',
      `here is ${versionOf(1)}`,
    ],
    [
      'that files failed',
      { ...from1, limits: failed(imageFile(4), deltaFile(1, 4), deltaFile(3, 4)) },
      'NOT_FOUND',
      '3 files that failed',
    ],
    [
      'that files failed, where the whole image is one of them',
      { ...from1, present: [], limits: { wholeImages: false, ...failed(imageFile(4)) } },
      'NOT_FOUND',
      '1 file that failed',
    ],
  ])('%s', (_, sample, code, words) => {
    const found = plan(sample);
    expect(found).toMatchObject({ kind: 'no-path', why: { code } });
    if (found.kind === 'no-path') expect(found.why.message).toContain(words);
  });
});

describe('the plan of an update from a mirror with compressed deltas', () => {
  /** A step of 400 bytes, compressed 100, and another one; each image is 1000 bytes. */
  const packed: readonly SampleImage[] = [
    { number: 1, size: 1000 },
    { number: 2, size: 1000, diffs: [[1, 400, undefined, 100]] },
    { number: 3, size: 1000, diffs: [[2, 400, undefined, 100]] },
  ];
  const from1To3 = { images: packed, wanted: 3, present: [localImage(1, 1000)] };
  const [first, second] = [deltaFile(1, 2), deltaFile(2, 3)];

  it('fetches them compressed, and shows a path once', () => {
    const found = plan(from1To3);
    expect(pathsOf(found)).toEqual([
      [`${first}.zst`, `${second}.zst`],
      [imageFile(3)],
      [imageFile(2), `${second}.zst`],
    ]);
    // Each is written, read, unpacked and read; a base is read and a target written. The room is that of the first, packed and
    // not, and of the second and the target, beside which nothing is packed any more.
    expect(found).toMatchObject({
      chosen: { downloadBytes: 200, workBytes: 2 * (100 + 100 + 400 + 400) + 2000, diskBytes: 500 + 400 + 1000 },
    });
  });

  it('fetches one of them as it is where the disk has no room for both forms', () => {
    const found = plan({ ...from1To3, device: { freeBytes: 1899 } });
    expect(pathsOf(found)[0]).toEqual([`${first}.zst`, second]);
    expect(found.leftOut.entries).toMatchObject([{ filenames: [`${first}.zst`, `${second}.zst`] }]);
    expect(pathsOf(plan({ ...from1To3, device: { freeBytes: 1499 } }))[0]).toEqual([first, second]);
  });

  it('fetches them as they are over a line that is faster than unpacking', () => {
    const rates = { downloadBytesPerSecond: 1e6 };
    expect(pathsOf(plan({ ...from1To3, rates, limits: { wholeImages: false } }))).toEqual([[first, second]]);
  });

  it('leaves the other form where one failed', () => {
    const other = plan({ ...from1To3, limits: { failed: new Set([`${second}.zst`]) } });
    expect(pathsOf(other)[0]).toEqual([`${first}.zst`, second]);
    expect(other.leftOut.entries).toEqual([{ filenames: [`${second}.zst`], reason: { kind: 'failed' } }]);
    const lost = plan({ ...from1To3, limits: { failed: new Set([first]) } });
    expect(pathsOf(lost)[0]).toEqual([`${first}.zst`, `${second}.zst`]);
  });

  it('counts what is on the disk of either form', () => {
    const partial = (name: string, bytes: number) => ({ device: { partial: new Map([[name, bytes]]) } });
    const rest = plan({ ...from1To3, ...partial(`${second}.zst`, 60) });
    expect(rest).toMatchObject({ chosen: { downloadBytes: 140, diskBytes: 1900 } });
    // An unpacked delta is there: nothing of it is fetched or unpacked again, and it takes no more room.
    const there = plan({ ...from1To3, ...partial(second, 400) });
    expect(pathsOf(there)[0]).toEqual([`${first}.zst`, second]);
    expect(there).toMatchObject({ chosen: { downloadBytes: 100, diskBytes: 1500 } });
    // A part of one is written over.
    const part = plan({ ...from1To3, ...partial(first, 150) });
    expect(part).toMatchObject({ chosen: { downloadBytes: 200, diskBytes: 1750 } });
  });

  it('weighs what is fetched against the image', () => {
    const large: SampleImage = { number: 2, size: 1000, diffs: [[1, 900, undefined, 700]] };
    const one = { images: [large], wanted: 2, present: [localImage(1, 1000)] };
    expect(pathsOf(plan(one))[0]).toEqual([`${first}.zst`]);
    expect(plan(one).leftOut.entries).toEqual([]);
    const tooLarge = plan({ ...one, limits: { maxDeltaShare: 0.7 } });
    expect(pathsOf(tooLarge)).toEqual([[imageFile(2)]]);
    expect(tooLarge.leftOut.entries).toEqual([
      { filenames: [`${first}.zst`], reason: { kind: 'delta-share', share: 0.7 } },
    ]);
  });
});
