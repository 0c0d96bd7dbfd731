import { type Header, pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { MANIFEST_NAME, makeManifest, renderManifest } from '../../../src/client/bundle/manifest.js';
import { openBundle } from '../../../src/client/bundle/read-bundle.js';
import type { DeltaHop } from '../../../src/client/hop.js';
import { deltaFile, sampleImage, versionOf } from '../plan/series.js';
import { pieces, SAMPLE_METADATA, sampleBundle } from './sample-bundle.js';

const { manifest, contents } = sampleBundle();
const text = renderManifest(manifest);
const [[firstName, first], [secondName, second]] = [...contents] as [[string, Buffer], [string, Buffer]];

type Member = readonly [header: string | (Partial<Header> & { name: string }), bytes: string | Buffer];

const GOOD: readonly Member[] = [
  [MANIFEST_NAME, text],
  [firstName, first],
  [secondName, second],
];

async function archive(members: readonly Member[]): Promise<Buffer> {
  const made = pack();
  for (const [header, bytes] of members) {
    const full = typeof header === 'string' ? { name: header } : header;
    if (full.type === undefined) made.entry(full, bytes);
    else made.entry(full).end(null);
  }
  made.finalize();
  const all: Uint8Array[] = [];
  for await (const piece of made as AsyncIterable<Uint8Array>) all.push(piece);
  return Buffer.concat(all);
}

async function readAll(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const member of (await openBundle(bytes, 'x.tar')).files) {
    for await (const _ of member.bytes);
  }
}

async function refusal(members: readonly Member[]): Promise<{ code: string; message: string }> {
  return await refusalOf(pieces(await archive(members)));
}

async function refusalOf(bytes: AsyncIterable<Uint8Array>): Promise<{ code: string; message: string }> {
  const error: unknown = await readAll(bytes).then(
    () => new Error('it was accepted'),
    (reason: unknown) => reason,
  );
  expect(error).toHaveProperty('code');
  return error as { code: string; message: string };
}

describe('the reader of bundles', () => {
  it('takes a good one, so that what follows is refused for its reason', async () => {
    await readAll(pieces(await archive(GOOD)));
  });

  it.each<[string, readonly Member[], string]>([
    ['nothing', [], `x.tar: ${MANIFEST_NAME}: expected this member, found the end of the archive`],
    ['no manifest', GOOD.slice(1), `x.tar: ${firstName}: expected the member ${MANIFEST_NAME} in its place`],
    ['another order', [GOOD[0]!, GOOD[2]!, GOOD[1]!], `${secondName}: expected the member ${firstName} in its place`],
    ['a file that is not there', GOOD.slice(0, 2), `${secondName}: expected this member, found the end`],
    ['a surplus member', [...GOOD, ['more.txt', 'x']], 'x.tar: more.txt: expected no further member, found one'],
    ['a member twice', [...GOOD, GOOD[2]!], `${secondName}: expected no further member, found one`],
    ['a way out', [GOOD[0]!, [`../${firstName}`, first]], `x.tar: ../${firstName}: expected the member ${firstName}`],
    ['an absolute name', [GOOD[0]!, [`/${firstName}`, first]], `x.tar: /${firstName}: expected the member`],
    [
      'a link',
      [GOOD[0]!, [{ name: firstName, type: 'symlink', linkname: '/etc/passwd' }, '']],
      `${firstName}: expected a plain file`,
    ],
    ['a device', [GOOD[0]!, [{ name: firstName, type: 'fifo' }, '']], `${firstName}: expected a plain file`],
    [
      'a short file',
      [GOOD[0]!, [firstName, first.subarray(1)]],
      `${firstName}: expected ${first.length} bytes, found ${first.length - 1}`,
    ],
    [
      'a large manifest',
      [[MANIFEST_NAME, Buffer.alloc(16 * 2 ** 20 + 1)]],
      `${MANIFEST_NAME}: expected at most 16777216 bytes`,
    ],
    ['a manifest that is no text', [[MANIFEST_NAME, Buffer.from([0xff])]], `${MANIFEST_NAME}: expected UTF-8 text`],
    ['a name that moves the cursor', [['\u001b[2J', 'x']], 'x.tar: "\\u001b[2J": expected the member'],
  ])('refuses %s', async (_, members, message) => {
    const error = await refusal(members);
    expect(error.code).toBe('FORMAT');
    expect(error.message).toContain(message);
  });

  it('refuses other bytes, even where the file was not read', async () => {
    const wrong = Buffer.from(first).fill(0, 9, 19);
    const members = pieces(await archive([GOOD[0]!, [firstName, wrong], GOOD[2]!]));
    const { files } = await openBundle(members, 'x.tar');
    const names: string[] = [];
    const reading = (async () => {
      for await (const { hop } of files) names.push(hop.image.version);
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'VERIFICATION',
      message: expect.stringContaining(`x.tar: ${firstName}: expected sha256`),
    });
    expect(names).toEqual([versionOf(2)]);
  });

  it('refuses what is cut off, wherever that is', async () => {
    const whole = await archive(GOOD);
    const ends = [1, 511, 513, 700, 5_000, 100_000, whole.length - 3_000, whole.length - 1_500];
    for (const end of ends) {
      const error = await refusalOf(pieces(whole.subarray(0, end)));
      expect(error, `cut at ${end}`).toMatchObject({ code: 'FORMAT', message: expect.stringMatching(/^x\.tar: /) });
    }
  });

  it('refuses what is no archive, and an archive with something behind it', async () => {
    expect(await refusalOf(pieces(Buffer.alloc(5_000, 'x')))).toMatchObject({
      message: expect.stringContaining('x.tar: expected a tar archive, found Invalid tar header'),
    });
    const behind = Buffer.concat([await archive(GOOD), Buffer.alloc(1024, 'x')]);
    expect(await refusalOf(pieces(behind))).toMatchObject({ code: 'FORMAT' });
  });

  it('refuses a header, or an end, that does not end', async () => {
    const long = pack();
    long.entry(Object.assign({ name: MANIFEST_NAME }, { pax: { comment: 'x'.repeat(5 * 2 ** 20) } }), text);
    long.finalize();
    const error = await refusalOf(long as AsyncIterable<Uint8Array>);
    expect(error).toMatchObject({ code: 'FORMAT', message: expect.stringContaining('Header exceeds max size') });
    const whole = await archive(GOOD);
    let given = 0;
    async function* endless(): AsyncIterable<Uint8Array> {
      yield whole;
      for (; given < 2 ** 30; given += 2 ** 16) yield Buffer.alloc(2 ** 16);
    }
    expect(await refusalOf(endless())).toMatchObject({
      code: 'FORMAT',
      message: 'x.tar: expected no more than its members, found more',
    });
    expect(given).toBeLessThan(64 * 2 ** 20);
  });

  it('passes on what its source fails with', async () => {
    const whole = await archive(GOOD);
    for (const end of [0, 100, 50_000, whole.length]) {
      const failing = async function* (): AsyncIterable<Uint8Array> {
        yield whole.subarray(0, end);
        throw new Error('the stick is gone');
      };
      await expect(readAll(failing())).rejects.toThrow(/^the stick is gone$/);
    }
  });
});

describe('a manifest of foreign origin', () => {
  const [v1, v2, v3] = [versionOf(1), versionOf(2), versionOf(3)];
  const delta = deltaFile(1, 2);

  it.each<[string, string | RegExp, string, string]>([
    ['of another format', '"format": 1', '"format": 3', '.format: expected a format that this program knows, 1 or 2'],
    ['that is signed without metadata', '"format": 1', '"format": 2', '.metadata: expected a list, found nothing'],
    ['of another series', '"series": "acme', '"series": "bcme', '.meta: expected the series bcme-amd64'],
    [
      'that starts elsewhere',
      `"from": "${v1}",\n  "to"`,
      `"from": "${v2}",\n  "to"`,
      '.hops[0].from: expected the version',
    ],
    [
      'that starts from nothing with a delta',
      `"from": "${v1}",\n  "to"`,
      '"from": null,\n  "to"',
      '.hops[0].kind: expected "image"',
    ],
    [
      'that leads elsewhere',
      `"to": "${v3}",\n  "hops"`,
      `"to": "${v2}",\n  "hops"`,
      `.hops: expected a path to ${v2}, found one to ${v3}`,
    ],
    ['without hops', /"hops": \[[^\]]*\]/, '"hops": []', `.hops: expected a path to ${v3}, found none`],
    [
      'with a hop to nowhere',
      `"to": "${v2}",\n      "size"`,
      '"to": "20990101000000",\n      "size"',
      '.hops[0].to: expected the version of an image in "meta"',
    ],
    [
      'that comes back',
      `"to": "${v2}",\n      "size"`,
      `"to": "${v1}",\n      "size"`,
      '.hops[0].filename: expected a delta from',
    ],
    [
      'with a way out in a name',
      `"filename": "${delta}"`,
      '"filename": "../x.rdiff"',
      '.hops[0].filename: expected a delta from',
    ],
    [
      'with a way out in its meta',
      new RegExp(`"filename": "${delta}",\\n            `),
      '"filename": "../x.rdiff",',
      'filename: expected a plain file name',
    ],
    [
      'with a size that lies',
      '"size": 200000,\n      "sha',
      '"size": 1,\n      "sha',
      '.hops[0].size: expected 200000, as in "meta"',
    ],
    [
      'with a size that is none',
      '"size": 200000,\n      "sha',
      '"size": -1,\n      "sha',
      '.hops[0].size: expected an integer',
    ],
    ['with another sha256', /"sha256": "[0-9a-f]{64}"/, `"sha256": "${'0'.repeat(64)}"`, '.hops[0].sha256: expected'],
    ['with a member twice', '"format": 1', '"format": 1, "format": 1', 'bundle.json: expected plain JSON'],
    ['that is no object', /^.*$/s, '[]', '.: expected an object'],
    ['without meta', '"meta"', '"other"', '.meta'],
  ])('%s is refused', async (_, from, to, message) => {
    const wrong = text.replace(from, to);
    expect(wrong).not.toBe(text);
    const error = await refusal([[MANIFEST_NAME, wrong]]);
    expect(error.code).toBe('FORMAT');
    expect(error.message).toMatch(/^x\.tar: bundle\.json: /);
    expect(error.message).toContain(message);
  });

  const signed = sampleBundle({ metadata: SAMPLE_METADATA });
  const signedText = renderManifest(signed.manifest);
  const [[rootName, root], [copyName, copy]] = [...SAMPLE_METADATA] as [[string, Buffer], [string, Buffer]];

  it.each<[string, string | RegExp, string, string]>([
    ['outside of its directory', rootName, 'index.json', '.metadata[0].filename: expected the path of a file below'],
    ['with a way out', rootName, 'metadata/../x', '.metadata[0].filename: expected the path of a file below metadata/'],
    ['that is there twice', copyName, rootName, '.metadata[1].filename: expected another file, found the same as'],
    [
      'that is too large',
      '"size": 2000,',
      '"size": 67108864,',
      '.metadata[1].size: expected at most 67108864 bytes of all',
    ],
    ['that has no sha256', /("size": 2000,\s*)"sha256"/, '$1"sha1"', '.metadata[1].sha256: expected 64'],
    [
      'of which there is none',
      /"metadata": \[[^\]]*\]/,
      '"metadata": []',
      '.metadata: expected the files of the signed',
    ],
  ])('with metadata %s is refused', async (_, from, to, message) => {
    const wrong = signedText.replace(from, to);
    expect(wrong).not.toBe(signedText);
    const error = await refusal([[MANIFEST_NAME, wrong]]);
    expect(error.code).toBe('FORMAT');
    expect(error.message).toContain(message);
  });

  it('whose metadata has other bytes, or is not there, is refused before anything is read of its files', async () => {
    const start: readonly Member[] = [
      [MANIFEST_NAME, signedText],
      [rootName, root],
    ];
    await readAll(pieces(await archive([...start, [copyName, copy], ...GOOD.slice(1)])));
    const other = openBundle(pieces(await archive([...start, [copyName, Buffer.alloc(2000)]])), 'x.tar');
    await expect(other).rejects.toMatchObject({
      code: 'VERIFICATION',
      message: expect.stringContaining(`x.tar: ${copyName}: expected sha256`),
    });
    const missing = openBundle(pieces(await archive([...start, ...GOOD.slice(1)])), 'x.tar');
    await expect(missing).rejects.toMatchObject({ code: 'FORMAT', message: expect.stringContaining(copyName) });
  });

  it('that leads round in a circle is refused', async () => {
    const hops = [
      [1, 2],
      [2, 3],
      [3, 1],
    ].map(([base = 0, number = 0]): DeltaHop => {
      const image = sampleImage({ number, size: 9, diffs: [[base, 5]] });
      return { kind: 'delta', base: versionOf(base), delta: image.diffs[0]!, image };
    });
    const round = renderManifest(makeManifest(manifest.series, hops, undefined));
    expect((await refusal([[MANIFEST_NAME, round]])).message).toContain(
      `.hops[2].to: expected a version that the path has not passed, found "${v1}"`,
    );
  });

  it('may have members that are not known', async () => {
    const more = text.replace('"format": 1', '"note": [1], "format": 1').replace('"kind"', '"note": "x", "kind"');
    await readAll(pieces(await archive([[MANIFEST_NAME, more], ...GOOD.slice(1)])));
  });
});
