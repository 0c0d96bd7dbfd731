import { describe, expect, it } from 'vitest';
import { decideCompressed, decideDelta, decideImage, deltaLimitBytes } from '../../src/images/decide.js';
import type { DeltaStatus, ImageStatus } from '../../src/images/survey.js';
import type { ImageName } from '../../src/metadata/image-name.js';
import { dailyImages } from './series-names.js';
import {
  compressedRecord,
  deltaRecord,
  digests,
  identity,
  imageRecord,
  publishedDelta,
  publishedImage,
  tooLargeRecord,
} from './support/statuses.js';

const [A, B] = dailyImages(2) as [ImageName, ImageName];

describe('an image', () => {
  const copy = imageRecord('a', { published: identity(2) });
  const file = publishedImage(A, 'a').file ?? expect.fail();
  const touchedFile = { ...file, identity: identity(1, { ctimeNs: '2' }) };
  const cases: readonly [name: string, changes: Partial<ImageStatus>, decision: string][] = [
    ['untouched, and so is its link', {}, 'nothing'],
    ['untouched, and so is its copy', { record: copy, inMirror: identity(2) }, 'nothing'],
    ['not in the directory', { file: null }, 'missing'],
    ['not in the directory and not published', { file: null, publish: false }, 'missing'],
    ['not in the mirror', { inMirror: null }, 'link'],
    ['new altogether', { inMirror: null, record: null }, 'link'],
    ['linked by a build that was killed before it could remember', { record: null }, 'read'],
    ['touched, and with it its link', { file: touchedFile, inMirror: identity(1, { ctimeNs: '2' }) }, 'read'],
    ['touched, unlike its copy', { file: touchedFile, record: copy, inMirror: identity(2) }, 'compare'],
    ['untouched, unlike its copy', { record: copy, inMirror: identity(2, { mtimeNs: '2' }) }, 'compare'],
    ['replaced by another file', { file: { ...file, identity: identity(3) } }, 'compare'],
    ['beside another file of its name, of which nothing is known', { record: null, inMirror: identity(9) }, 'compare'],
    ['with an inode of another device', { file: { ...file, identity: identity(1, { device: '8' }) } }, 'compare'],
    [
      'a base that was read',
      { publish: false, inMirror: null, record: imageRecord('a', { published: null }) },
      'nothing',
    ],
    ['a base that was never read', { publish: false, inMirror: null, record: null }, 'read-base'],
    ['a base that was touched', { publish: false, inMirror: null, file: touchedFile }, 'read-base'],
    ['published from now on, and only a base before', { record: imageRecord('a', { published: null }) }, 'read'],
  ];

  it.each(cases)('%s', (_, changes, decision) => {
    expect(decideImage(publishedImage(A, 'a', changes))).toBe(decision);
  });

  it.each([
    ['sizeBytes', { sizeBytes: 1001 }],
    ['mtime', { mtimeNs: '2' }],
    ['ctime', { ctimeNs: '2' }],
    ['inode', { inode: '5' }],
    ['device', { device: '5' }],
  ] as const)('is read again when nothing but its %s differs', (_, changes) => {
    const status = publishedImage(A, 'a', { file: { ...file, identity: identity(1, changes) } });
    expect(decideImage(status)).not.toBe('nothing');
  });
});

describe('a delta', () => {
  const ends = { baseSha256: digests('a').sha256, targetSha256: digests('b').sha256, limitBytes: 500 };
  const made = deltaRecord('a', 'b', 500);
  const cases: readonly [name: string, changes: Partial<DeltaStatus>, limitBytes: number, decision: string][] = [
    ['of just the largest size', {}, 500, 'nothing'],
    ['a byte larger', {}, 499, 'skip'],
    ['touched', { inMirror: identity(2, { ctimeNs: '2', sizeBytes: 500 }) }, 500, 'check'],
    ['of another size than it was', { inMirror: identity(2, { sizeBytes: 501 }) }, 500, 'check'],
    ['gone', { inMirror: null }, 500, 'make'],
    ['gone, and too large anyway', { inMirror: null }, 499, 'skip'],
    ['made from another base', { record: deltaRecord('c', 'b') }, 500, 'check'],
    ['made for another target', { record: deltaRecord('a', 'c') }, 500, 'check'],
    ['made for another target, and gone', { record: deltaRecord('a', 'c'), inMirror: null }, 500, 'make'],
    ['of which nothing is known', { record: null }, 500, 'check'],
    ['that never was', { record: null, inMirror: null }, 500, 'make'],
    ['known to pass this limit', { record: tooLargeRecord('a', 'b', 500), inMirror: null }, 500, 'skip'],
    ['known to pass a higher limit', { record: tooLargeRecord('a', 'b', 500), inMirror: null }, 499, 'skip'],
    ['known to pass a lower limit', { record: tooLargeRecord('a', 'b', 500), inMirror: null }, 501, 'make'],
    ['too large between other bytes', { record: tooLargeRecord('a', 'c', 500), inMirror: null }, 500, 'make'],
  ];

  it.each(cases)('%s', (_, changes, limitBytes, decision) => {
    const inMirror = identity(2, { sizeBytes: 500 });
    const status = publishedDelta(A, B, made, { inMirror, ...changes });
    expect(decideDelta(status, { ...ends, limitBytes })).toBe(decision);
  });

  it('between images that have not been read is checked where it is there, else made', () => {
    expect(decideDelta(publishedDelta(A, B, made), null)).toBe('check');
    expect(decideDelta(publishedDelta(A, B, made, { inMirror: null }), null)).toBe('make');
    expect(decideDelta(publishedDelta(A, B, tooLargeRecord('a', 'b', 1), { inMirror: null }), null)).toBe('make');
  });

  it.each([
    [1000, 0.8, 800],
    [999, 0.8, 799],
    [0, 0.8, 0],
    [10, 1, 10],
    [10, 1.5, 15],
  ])('to a target of %i bytes may have, at a ratio of %f, %i bytes', (targetBytes, ratio, limit) => {
    expect(deltaLimitBytes(targetBytes, ratio)).toBe(limit);
  });
});

describe('the compressed form of a delta', () => {
  const made = compressedRecord('a', 'b');
  const notWorthIt = compressedRecord('a', 'b', { kind: 'not-worth-it' });
  const there = identity(3, { sizeBytes: 50 });
  const touched = identity(3, { sizeBytes: 50, ctimeNs: '2' });
  const cases: readonly [name: string, DeltaStatus['record'], DeltaStatus['compressedInMirror'], decision: string][] = [
    ['that is there and proven', made, there, 'nothing'],
    ['that is gone', made, null, 'make'],
    ['that was touched', made, touched, 'check'],
    ['that was never made', deltaRecord('a', 'b'), null, 'make'],
    ['of which nothing is known', deltaRecord('a', 'b'), there, 'check'],
    ['of a delta of which nothing is known', null, there, 'check'],
    ['that saves too little', notWorthIt, null, 'skip'],
    ['that saves too little, and is there for whatever reason', notWorthIt, there, 'skip'],
  ];

  it.each(cases)('%s', (_, record, compressedInMirror, decision) => {
    expect(decideCompressed({ record, compressedInMirror }, digests('d').sha256)).toBe(decision);
  });

  it.each([digests('f').sha256, null])('says nothing of a delta that has other bytes, or none yet', (sha256) => {
    for (const record of [made, notWorthIt]) {
      expect(decideCompressed({ record, compressedInMirror: null }, sha256)).toBe('make');
      expect(decideCompressed({ record, compressedInMirror: there }, sha256)).toBe('check');
    }
  });
});
