import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BuildRequest } from '../../src/images/build-request.js';
import { composeMetas, contentsOf, renderIndexes } from '../../src/images/contents.js';
import { wantedDeltas } from '../../src/images/delta-policy.js';
import { type BuildPlan, knownOf, type PlanSettings, planBuild } from '../../src/images/plan.js';
import type { DeltaStatus, ImageStatus, Survey } from '../../src/images/survey.js';
import type { ImageName } from '../../src/metadata/image-name.js';
import { dailyImages, seriesOf } from './series-names.js';
import {
  deltaRecord,
  identity,
  imageRecord,
  publishedDelta,
  publishedImage,
  tooLargeRecord,
} from './support/statuses.js';

const [A, B, C] = dailyImages(3) as [ImageName, ImageName, ImageName];
const META = 'meta/puavo-os-acme-sid-amd64.json';
const INDEXES = [META, 'CKSUMS', 'SHA256SUMS', 'rdiffs/SHA256SUMS', 'index.json'];
const SETTINGS = { baseUrl: 'https://images.example.org', maxDeltaRatio: 0.8, compressDeltas: false, bestBefore: null };
const DIGITS = new Map([
  [A.fileName, 'a'],
  [B.fileName, 'b'],
  [C.fileName, 'c'],
]);

describe('the plan of a build', () => {
  it('is empty for a mirror that has all that is wanted', () => {
    expect(lines(plan(mirrorOf([A, B, C])))).toEqual([]);
  });

  it('of a new mirror links all images, makes all deltas and writes all indexes', () => {
    const nothing = mirrorOf([A, B], {
      image: { inMirror: null, record: null },
      delta: { inMirror: null, record: null },
    });
    expect(lines(plan({ ...nothing, texts: new Map(), named: new Set() }))).toEqual([
      `link ${A.fileName}`,
      `link ${B.fileName}`,
      `delta ${rdiff(B, A)}`,
      `delta ${rdiff(A, B)}`,
      ...INDEXES.map((path) => `write-index ${path}`),
    ]);
  });

  it('writes the indexes alone that differ, where nothing else is to be done', () => {
    const mirror = mirrorOf([A, B]);
    const texts = new Map(mirror.texts).set('SHA256SUMS', 'something else\n');
    texts.delete('index.json');
    expect(lines(plan({ ...mirror, texts }))).toEqual(['write-index SHA256SUMS', 'write-index index.json']);
  });

  it('writes the lists again after a build that was killed between them, although they are right', () => {
    const paths = lines(plan(mirrorOf([A, B]), { interrupted: true }));
    expect(paths).toEqual(INDEXES.slice(1).map((path) => `write-index ${path}`));
  });

  it('drops what is named and not wanted', () => {
    const mirror = mirrorOf([A, B]);
    const named = new Set([...mirror.named, C.fileName, rdiff(A, C)]);
    expect(lines(plan({ ...mirror, named }))).toEqual([`drop ${C.fileName}`, `drop ${rdiff(A, C)}`]);
  });

  it('rewrites meta alone for another base URL', () => {
    expect(lines(plan(mirrorOf([A, B]), { baseUrl: null }))).toEqual([`write-index ${META}`]);
  });

  it('drops a delta that passes a lower limit, and makes one again under a higher limit', () => {
    const dropped = lines(plan(mirrorOf([A, B]), { maxDeltaRatio: 0.05 }));
    const drops = [rdiff(B, A), rdiff(A, B), 'rdiffs/SHA256SUMS'].map((path) => `drop ${path}`);
    expect(dropped.filter((line) => line.startsWith('drop'))).toEqual(drops);
    const tooLarge = mirrorOf([A, B], { delta: { inMirror: null, record: null } });
    const deltas = tooLarge.deltas.map((delta) => ({ ...delta, record: tooLargeRecord(...digitsOf(delta), 700) }));
    expect(lines(plan({ ...tooLarge, deltas })).filter((line) => line.startsWith('delta'))).toHaveLength(2);
    expect(lines(plan({ ...tooLarge, deltas }, { maxDeltaRatio: 0.7 })).join()).not.toContain('delta ');
  });

  it('expects a new delta to have the median share of those that the series has', () => {
    const mirror = mirrorOf([A, B, C], { policy: 'all' });
    const sizes = [700, 100, 300];
    const deltas = mirror.deltas.map((delta, index) => {
      const size = sizes[index];
      if (size === undefined) return { ...delta, inMirror: null, record: null };
      const inMirror = identity(2, { sizeBytes: size });
      return { ...delta, inMirror, record: deltaRecord(...digitsOf(delta), size) };
    });
    const made = plan({ ...mirror, deltas }).actions.filter(({ action }) => action === 'delta');
    expect(made.map(({ sizeBytes }) => sizeBytes)).toEqual([300, 300, 300]);
  });

  it('has work exactly when a file is missing, was touched or is not what an index says', () => {
    const states = fc.record({
      touchedImages: fc.subarray([A, B, C]),
      lostImages: fc.subarray([A, B, C]),
      lostDeltas: fc.subarray(mirrorOf([A, B, C]).deltas.map((_, index) => index)),
      lostTexts: fc.subarray(INDEXES),
    });
    fc.assert(
      fc.property(states, ({ touchedImages, lostImages, lostDeltas, lostTexts }) => {
        const mirror = mirrorOf([A, B, C]);
        const images = mirror.images.map((status) => {
          const touched = touchedImages.includes(status.name) ? { inMirror: identity(1, { ctimeNs: '9' }) } : {};
          return { ...status, ...touched, ...(lostImages.includes(status.name) ? { inMirror: null } : {}) };
        });
        const deltas = mirror.deltas.map((status, index) =>
          lostDeltas.includes(index) ? { ...status, inMirror: null } : status,
        );
        const texts = new Map([...mirror.texts].filter(([path]) => !lostTexts.includes(path)));
        const { actions } = plan({ ...mirror, images, deltas, texts });
        const damages = [touchedImages, lostImages, lostDeltas, lostTexts].flat().length;
        expect(actions.length > 0).toBe(damages > 0);
        const planned = new Set(actions.map(({ path }) => path));
        for (const path of lostTexts) expect(planned).toContain(path);
        for (const { fileName } of [...touchedImages, ...lostImages]) expect(planned).toContain(fileName);
      }),
    );
  });
});

describe('what is known before anything is done', () => {
  it('leaves out what needs work', () => {
    const mirror = mirrorOf([A, B]);
    const images = mirror.images.map((status) => (status.name === B ? { ...status, inMirror: null } : status));
    const known = knownOf(plan({ ...mirror, images }));
    expect([...known.images.keys()]).toEqual([A.fileName]);
    expect([...known.deltas.keys()]).toEqual([]);
  });

  it('keeps an image whose own file is gone, as long as the mirror serves it untouched', () => {
    const gone = { file: null, publishedSha256: imageRecord('a').digests.sha256 };
    const untouched = publishedImage(A, 'a', gone);
    const knownNames = (image: ImageStatus) => [...knownOf(plan({ ...mirrorOf([A]), images: [image] })).images.keys()];
    expect(knownNames(untouched)).toEqual([A.fileName]);
    expect(knownNames({ ...untouched, inMirror: identity(1, { ctimeNs: '2' }) })).toEqual([]);
    expect(knownNames({ ...untouched, inMirror: null })).toEqual([]);
    expect(knownNames({ ...untouched, publishedSha256: imageRecord('b').digests.sha256 })).toEqual([]);
  });
});

interface Mirror {
  readonly request: BuildRequest;
  readonly images: readonly ImageStatus[];
  readonly deltas: readonly DeltaStatus[];
  readonly texts: ReadonlyMap<string, string>;
  readonly named: ReadonlySet<string>;
}

/** A mirror of one series that is complete, except for what a test changes of all images or all deltas. */
function mirrorOf(
  names: readonly ImageName[],
  changes: {
    readonly image?: Partial<ImageStatus>;
    readonly delta?: Partial<DeltaStatus>;
    readonly policy?: 'neighbours' | 'all';
  } = {},
): Mirror {
  const series = seriesOf(names);
  const wanted = wantedDeltas(series, { kind: changes.policy ?? 'neighbours' });
  const images = names.map((name) => publishedImage(name, DIGITS.get(name.fileName) ?? '0'));
  const deltas = wanted.map(({ base, target }) =>
    publishedDelta(base, target, deltaRecord(...digitsOf({ base, target })), {
      inMirror: identity(2, { sizeBytes: 100 }),
    }),
  );
  const request: BuildRequest = {
    series: [series],
    deltas: new Map([[series, wanted]]),
    images: new Map(images.map((image) => [image.name.fileName, image])),
    notes: [],
  };
  const complete = { request, images, deltas, texts: new Map(), named: new Set<string>() };
  const contents = contentsOf(knownOf(plan(complete)));
  const texts = renderIndexes(composeMetas(request, contents, SETTINGS.baseUrl), null);
  const named = new Set([
    ...names.map(({ fileName }) => fileName),
    ...wanted.map(({ base, target }) => rdiff(base, target)),
  ]);
  return {
    request,
    images: images.map((image) => ({ ...image, ...changes.image })),
    deltas: deltas.map((delta) => ({ ...delta, ...changes.delta })),
    texts,
    named,
  };
}

function plan(
  { request, images, deltas, texts, named }: Mirror,
  { interrupted = false, ...settings }: Partial<PlanSettings> & { interrupted?: boolean } = {},
): BuildPlan {
  const survey: Survey = {
    settings: {
      baseUrl: SETTINGS.baseUrl,
      deltas: null,
      compressDeltas: false,
      bestBeforeMs: null,
      keysDir: null,
      lifetimes: {},
    },
    indexes: { texts, metas: [], named },
    interrupted,
    images: new Map(images.map((image) => [image.name.fileName, image])),
    deltas: new Map(deltas.map((delta) => [delta.fileName, delta])),
  };
  return planBuild(request, survey, { ...SETTINGS, ...settings });
}

function lines({ actions }: BuildPlan): string[] {
  return actions.map(({ action, path }) => `${action} ${path}`);
}

function rdiff(base: ImageName, target: ImageName): string {
  return `rdiffs/${publishedDelta(base, target, deltaRecord('a', 'b')).fileName}`;
}

function digitsOf({ base, target }: { base: ImageName; target: ImageName }): [string, string] {
  return [DIGITS.get(base.fileName) ?? '0', DIGITS.get(target.fileName) ?? '0'];
}
