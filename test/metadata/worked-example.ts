import { parseImageVersion, parseSeriesName, parseSha256Hex, parseSha512Hex } from '../../src/metadata/brands.js';
import type { Digests } from '../../src/metadata/digests.js';
import type { MetaZst, SeriesMeta } from '../../src/metadata/meta.js';

/*
 * A small mirror with every kind of member in it: two images, a delta each way, definitions with and without choices.
 * The texts are written out by hand, so that they do not follow what the renderers do.
 */

const site = 'https://images.school.example';
const januaryName = 'puavo-os-acme-buster-2022-01-17-120001-amd64';
const laterName = 'puavo-os-acme-buster-2022-01-20-173248-amd64';
const upName = 'puavo-os-acme-buster-2022-01-17-120001--2022-01-20-173248-amd64.rdiff';
const downName = 'puavo-os-acme-buster-2022-01-20-173248--2022-01-17-120001-amd64.rdiff';

export const exampleMeta: SeriesMeta = {
  series: parseSeriesName('puavo-os-acme-buster-amd64', 'example'),
  images: [
    {
      filename: `${januaryName}.img`,
      id: januaryName,
      size: 4293918720,
      urls: [`${site}/${januaryName}.img`],
      version: parseImageVersion('20220117120001', 'example'),
      'puavo-conf': {
        'puavo.acme.enabled': { default: 'false', description: 'Enable/disable the acme service', typehint: 'bool' },
      },
      ...digests('3141592653', 'a'),
      diffs: [
        {
          filename: downName,
          size: 611203847,
          urls: [`${site}/rdiffs/${downName}`],
          version: parseImageVersion('20220120173248', 'example'),
          ...digests('271828182', 'b'),
        },
      ],
    },
    {
      filename: `${laterName}.img`,
      id: laterName,
      size: 4311744512,
      urls: [`${site}/${laterName}.img`],
      version: parseImageVersion('20220120173248', 'example'),
      'puavo-conf': {
        'puavo.acme.mode': { choices: ['day', 'night'], default: 'day', description: 'Acme mode', typehint: 'string' },
      },
      ...digests('1618033988', 'c'),
      diffs: [
        {
          filename: upName,
          size: 629101112,
          urls: [`${site}/rdiffs/${upName}`],
          version: parseImageVersion('20220117120001', 'example'),
          ...digests('1414213562', 'd'),
        },
      ],
    },
  ],
};

/** {@link exampleMeta} where the first delta has a compressed form. */
export const exampleWithZst: SeriesMeta = {
  ...exampleMeta,
  images: exampleMeta.images.map((image, index) => ({
    ...image,
    diffs: image.diffs.map((diff) => (index === 0 ? { ...diff, zst: exampleZst() } : diff)),
  })),
};

/** What the text of {@link exampleWithZst} has more than {@link exampleMetaText}, behind the first delta's sha512. */
export const exampleZstText = [
  ',"zst":{"filename":"puavo-os-acme-buster-2022-01-20-173248--2022-01-17-120001-amd64.rdiff.zst",',
  '"urls":["https://images.school.example/rdiffs/puavo-os-acme-buster-2022-01-20-173248--2022-01-17-120001-amd64.rdiff.zst"],',
  `"size":305601923,"cksum":"1732050807",${hexMembers('e')}}`,
].join('');

/** The meta file of {@link exampleMeta}, byte for byte. */
export const exampleMetaText = [
  '{"puavo-os-acme-buster-amd64":{"images":[',
  '{"diffs":[{"filename":"puavo-os-acme-buster-2022-01-20-173248--2022-01-17-120001-amd64.rdiff",',
  '"urls":["https://images.school.example/rdiffs/puavo-os-acme-buster-2022-01-20-173248--2022-01-17-120001-amd64.rdiff"],',
  `"version":"20220120173248","size":611203847,"cksum":"271828182",${hexMembers('b')}}],`,
  '"filename":"puavo-os-acme-buster-2022-01-17-120001-amd64.img",',
  '"id":"puavo-os-acme-buster-2022-01-17-120001-amd64",',
  '"puavo-conf":{"puavo.acme.enabled":{"default":"false","description":"Enable/disable the acme service","typehint":"bool"}},',
  '"size":4293918720,"urls":["https://images.school.example/puavo-os-acme-buster-2022-01-17-120001-amd64.img"],',
  `"version":"20220117120001","cksum":"3141592653",${hexMembers('a')}},`,
  '{"diffs":[{"filename":"puavo-os-acme-buster-2022-01-17-120001--2022-01-20-173248-amd64.rdiff",',
  '"urls":["https://images.school.example/rdiffs/puavo-os-acme-buster-2022-01-17-120001--2022-01-20-173248-amd64.rdiff"],',
  `"version":"20220117120001","size":629101112,"cksum":"1414213562",${hexMembers('d')}}],`,
  '"filename":"puavo-os-acme-buster-2022-01-20-173248-amd64.img",',
  '"id":"puavo-os-acme-buster-2022-01-20-173248-amd64",',
  '"puavo-conf":{"puavo.acme.mode":{"choices":["day","night"],"default":"day","description":"Acme mode","typehint":"string"}},',
  '"size":4311744512,"urls":["https://images.school.example/puavo-os-acme-buster-2022-01-20-173248-amd64.img"],',
  `"version":"20220120173248","cksum":"1618033988",${hexMembers('c')}}`,
  ']}}',
].join('');

/** The CKSUMS of {@link exampleMeta}, byte for byte. */
export const exampleCksums = `3141592653 4293918720 puavo-os-acme-buster-2022-01-17-120001-amd64.img
271828182 611203847 puavo-os-acme-buster-2022-01-20-173248--2022-01-17-120001-amd64.rdiff
1618033988 4311744512 puavo-os-acme-buster-2022-01-20-173248-amd64.img
1414213562 629101112 puavo-os-acme-buster-2022-01-17-120001--2022-01-20-173248-amd64.rdiff
`;

/** The index.json of {@link exampleMeta}, byte for byte. */
export const exampleIndex = `{
  "format": 1,
  "series": [
    {
      "name": "puavo-os-acme-buster-amd64",
      "meta": "meta/puavo-os-acme-buster-amd64.json",
      "images": 2,
      "newest": {
        "version": "20220120173248",
        "filename": "puavo-os-acme-buster-2022-01-20-173248-amd64.img",
        "size": 4311744512,
        "sha256": "${'c'.repeat(64)}"
      }
    }
  ]
}
`;

function exampleZst(): MetaZst {
  const filename = `${downName}.zst`;
  return { filename, urls: [`${site}/rdiffs/${filename}`], size: 305601923, ...digests('1732050807', 'e') };
}

function digests(cksum: string, digit: string): Digests {
  return {
    cksum,
    sha256: parseSha256Hex(digit.repeat(64), 'example'),
    sha512: parseSha512Hex(digit.repeat(128), 'example'),
  };
}

function hexMembers(digit: string): string {
  return `"sha256":"${digit.repeat(64)}","sha512":"${digit.repeat(128)}"`;
}

/** The example whose first image is a barrier. */
export const withBarrier: SeriesMeta = {
  ...exampleMeta,
  images: exampleMeta.images.map((image, index) => (index === 0 ? { ...image, barrier: true } : image)),
};
