import fc from 'fast-check';
import { parseSha256Hex, parseSha512Hex } from '../../src/metadata/brands.js';
import type { Digests } from '../../src/metadata/digests.js';
import { type ImageName, parseImageName, rdiffFileName } from '../../src/metadata/image-name.js';
import type { MetaDiff, MetaImage, MetaZst, SeriesMeta } from '../../src/metadata/meta.js';

/** Any sequence of UTF-16 units, halves of surrogate pairs among them. */
export function anyText(maxLength: number): fc.Arbitrary<string> {
  const unit = fc.oneof(
    fc.nat({ max: 0xff }),
    fc.nat({ max: 0xffff }),
    fc.constantFrom(0xfffd, 0xd800, 0x2028, 0x202e),
  );
  return fc.array(unit, { maxLength }).map((units) => String.fromCharCode(...units));
}

const word = fc.stringMatching(/^[a-z0-9][a-z0-9._+~]{0,8}$/);
const stem = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join('-'));

/** `YYYY-MM-DD-HHMMSS` of a real instant. */
export const stamp = fc
  .date({ min: new Date('2000-01-01T00:00:00Z'), max: new Date('2099-12-31T23:59:59Z'), noInvalidDate: true })
  .map((date) => {
    const [day = '', time = ''] = date.toISOString().slice(0, 19).split('T');
    return `${day}-${time.replaceAll(':', '')}`;
  });

export const imageName = fc
  .tuple(stem, stamp, fc.constantFrom('amd64', 'i386', 'arm64'))
  .map(([stem, stamp, arch]) => `${stem}-${stamp}-${arch}.img`)
  // A stem of digits can look like a second stamp.
  .filter((name) => (name.match(/(?=\d{4}-\d{2}-\d{2}-\d{6})/g) ?? []).length === 1)
  .map(parseImageName);

const size = fc.nat({ max: Number.MAX_SAFE_INTEGER });

export const sha256 = hex(64).map((text) => parseSha256Hex(text, 'arbitrary'));

const digests: fc.Arbitrary<Digests> = fc.record({
  cksum: fc.nat({ max: 0xffffffff }).map(String),
  sha256,
  sha512: hex(128).map((text) => parseSha512Hex(text, 'arbitrary')),
});

/** A series of up to six images with deltas between them. */
export const seriesMeta: fc.Arbitrary<SeriesMeta> = fc
  .uniqueArray(imageName, { maxLength: 6, selector: (name) => name.version })
  .chain((names) =>
    fc.record({
      series: imageName.map((name) => name.series),
      images: fc.tuple(...names.map((name) => metaImage(name, names))),
    }),
  );

function metaImage(name: ImageName, all: readonly ImageName[]): fc.Arbitrary<MetaImage> {
  return fc
    .record({
      diffs: fc.subarray(all.filter((base) => base !== name)).chain((bases) => fc.tuple(...bases.map(diffTo(name)))),
      // JSON has no undefined and no -0.
      conf: fc.dictionary(fc.string(), fc.jsonValue().map(throughJson)),
      size,
      digests,
    })
    .map(({ diffs, conf, size, digests }) => ({
      diffs,
      filename: name.fileName,
      id: name.id,
      'puavo-conf': conf,
      size,
      urls: [`https://mirror.example/${name.fileName}`],
      version: name.version,
      ...digests,
    }));
}

function diffTo(target: ImageName): (base: ImageName) => fc.Arbitrary<MetaDiff> {
  return (base) => {
    const filename = rdiffFileName(base, target);
    const urls = [`https://mirror.example/rdiffs/${filename}`];
    const zst = fc.option(zstOf(filename), { nil: undefined });
    return fc.record({ size, digests, zst }).map(({ size, digests, zst }) => ({
      filename,
      urls,
      version: base.version,
      size,
      ...digests,
      ...(zst === undefined ? {} : { zst }),
    }));
  };
}

function zstOf(deltaFileName: string): fc.Arbitrary<MetaZst> {
  const filename = `${deltaFileName}.zst`;
  const urls = [`https://mirror.example/rdiffs/${filename}`];
  return fc.record({ size, digests }).map(({ size, digests }) => ({ filename, urls, size, ...digests }));
}

function hex(length: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
}

function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
