import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { dailyStamps } from '../support/image-name.js';
import { makeImageSeries } from '../support/image-series.js';
import type { Compressor } from '../support/squashfs-image.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { build, verify } from './support/workshop.js';

const COMPRESSORS: readonly Compressor[] = ['gzip', 'lzo', 'xz', 'lz4', 'zstd'];
const DAYS = 4;

/** One series a compressor, four images each, with the deltas that today's Puavo clients need. */
describe.skipIf(!haveTools('mksquashfs', 'rdiff', 'jq', 'sha256sum', 'sha512sum', 'cksum'))(
  'a mirror of squashfs images of all five compressors',
  () => {
    const folder = temporaryDirectoryOfSuite();
    const workshop = { folder, imagesDir: join(folder, 'images'), mirrorDir: join(folder, 'mirror') };
    const mirror = workshop.mirrorDir;

    beforeAll(async () => {
      for (const compressor of COMPRESSORS) {
        await makeImageSeries({
          dir: workshop.imagesDir,
          stem: stemOf(compressor),
          arch: 'amd64',
          stamps: dailyStamps(DAYS),
          compressor,
          seed: compressor,
          sizeBytes: 200_000,
        });
      }
      await build(workshop, { deltas: { kind: 'puavo' }, maxDeltaRatio: 10 });
    });

    it("has 3(n - 1) deltas a series, and Debian's rdiff makes every target from every one of them", () => {
      const names = deltasIn(mirror);
      expect(names).toHaveLength(COMPRESSORS.length * 3 * (DAYS - 1));
      for (const name of names) {
        const [, stem, from, to] = /^(.+)-(\d{4}-.{12})--(\d{4}-.{12})-amd64\.rdiff$/.exec(name) ?? [];
        const made = join(folder, 'made.img');
        const base = join(mirror, `${stem}-${from}-amd64.img`);
        execFileSync('rdiff', ['-f', 'patch', base, join(mirror, 'rdiffs', name), made]);
        expect(readFileSync(made).equals(readFileSync(join(mirror, `${stem}-${to}-amd64.img`))), name).toBe(true);
      }
    });

    it('passes sha256sum -c, which checks every image and every delta', () => {
      const check = (cwd: string) => run('sha256sum', ['-c', '--strict', 'SHA256SUMS'], cwd);
      const checked = [...check(mirror), ...check(join(mirror, 'rdiffs')).map((line) => `rdiffs/${line}`)];
      expect(checked.sort()).toEqual([...publicFiles(mirror)].map((path) => `${path}: OK`).sort());
    });

    it('has in CKSUMS just the lines that cksum prints in the directories of the files', () => {
      const images = publicFiles(mirror).filter((path) => path.endsWith('.img'));
      const lines = [...run('cksum', images, mirror), ...run('cksum', deltasIn(mirror), join(mirror, 'rdiffs'))];
      expect(linesOf(readFileSync(join(mirror, 'CKSUMS'), 'utf8')).sort()).toEqual(lines.sort());
    });

    it('has in meta the sha512 that sha512sum prints, for every image and every delta', () => {
      const files = '.[].images[] | ., .diffs[] | "\\(.sha512)  \\(.filename)"';
      const listed = COMPRESSORS.flatMap((compressor) => jq(files, metaOf(compressor)));
      const printed = run('sha512sum', publicFiles(mirror), mirror).map((line) => line.replace('rdiffs/', ''));
      expect(listed.sort()).toEqual(printed.sort());
    });

    it('has meta files whose members have the order and the types of the old producer', () => {
      const shapes =
        '.[].images[] | [keys_unsorted, (.diffs[] | keys_unsorted)], [map(type), (.diffs[] | map(type))] | tojson';
      const image = ['diffs', 'filename', 'id', 'puavo-conf', 'size', 'urls', 'version', 'cksum', 'sha256', 'sha512'];
      const imageTypes = [
        'array',
        'string',
        'string',
        'object',
        'number',
        'array',
        'string',
        'string',
        'string',
        'string',
      ];
      const diff = ['filename', 'urls', 'version', 'size', 'cksum', 'sha256', 'sha512'];
      const diffTypes = ['string', 'array', 'string', 'number', 'string', 'string', 'string'];
      for (const compressor of COMPRESSORS) {
        const found = jq(shapes, metaOf(compressor)).map((line) => JSON.parse(line));
        const times = (count: number, shape: readonly string[]) => Array.from({ length: count }, () => shape);
        const expected = [0, 3, 3, 3].flatMap((count) => [
          [image, ...times(count, diff)],
          [imageTypes, ...times(count, diffTypes)],
        ]);
        expect(found).toEqual(expected);
      }
    });

    it('has the puavo-conf definitions of every image, read out of it', () => {
      for (const compressor of COMPRESSORS) {
        const levels = jq('.[].images[]["puavo-conf"]["puavo.acme.level"].default', metaOf(compressor));
        expect(levels, compressor).toEqual(['0', '1', '2', '3']);
        const modes = jq('.[].images[]["puavo-conf"]["puavo.desktop.mode"].choices | tojson', metaOf(compressor));
        expect(new Set(modes), compressor).toEqual(new Set(['["day","night"]']));
      }
    });

    it('answers what a laptop asks: the sha512 and size of an image and of a delta, by file name', () => {
      // Every value of every series, every element of it; objects that have the field and the name; so for diffs.
      const [image, delta] = [nameOf('lzo', 4), `${stemOf('lzo')}-2024-01-01-060000--2024-01-04-060000-amd64.rdiff`];
      const ofImage = (field: string) =>
        `.[][][] | select(type == "object" and has("${field}") and .filename == "${image}") | .${field}`;
      const ofDelta = (field: string) =>
        `.[][][] | select(type == "object" and has("diffs")) | .diffs[] | select(.filename == "${delta}") | .${field}`;
      const sha512 = (path: string) => run('sha512sum', [path], mirror)[0]?.split(' ')[0] ?? '';
      expect(jq(ofImage('sha512'), metaOf('lzo'))).toEqual([sha512(image)]);
      expect(jq(ofImage('size'), metaOf('lzo'))).toEqual([String(readFileSync(join(mirror, image)).length)]);
      expect(jq(ofDelta('sha512'), metaOf('lzo'))).toEqual([sha512(`rdiffs/${delta}`)]);
      expect(jq(ofDelta('size'), metaOf('lzo'))).toEqual([String(readFileSync(join(mirror, 'rdiffs', delta)).length)]);
    });

    it('answers what a bootserver asks: the two newest versions, and for each the two deltas of the newest bases', () => {
      const question =
        '.[].images as $all | ($all | map(.version)) as $known | $all | sort_by(.version) | .[-2:][] |' +
        ' select((.urls | length > 0) and (.size | type == "number")) |' +
        ' .version as $to | .diffs | map(select(.version as $v | $known | index($v))) | sort_by(.version) |' +
        ' .[-2:][] | "\\(.version) \\($to) \\(.urls[0]) \\(.sha256)"';
      const stem = stemOf('zstd');
      const sha256 = (path: string) => run('sha256sum', [path], mirror)[0]?.split(' ')[0];
      const expected = [
        [2, 3],
        [4, 3],
        [2, 4],
        [3, 4],
      ].map(([from, to]) => {
        const path = `rdiffs/${stem}-2024-01-0${from}-060000--2024-01-0${to}-060000-amd64.rdiff`;
        return `2024010${from}060000 2024010${to}060000 https://images.example.org/${path} ${sha256(path)}`;
      });
      expect(jq(question, metaOf('zstd'))).toEqual(expected);
    });

    it('passes verify --deep', async () => {
      const { summary } = await verify(workshop, { deep: true });
      expect(summary).toMatchObject({ files: 65, deltasApplied: 45, errors: 0, warnings: 0 });
    });

    function metaOf(compressor: Compressor): string {
      return join(mirror, 'meta', `${stemOf(compressor)}-amd64.json`);
    }
  },
);

function stemOf(compressor: Compressor): string {
  return `puavo-os-${compressor}-bookworm`;
}

function nameOf(compressor: Compressor, day: number): string {
  return `${stemOf(compressor)}-2024-01-0${day}-060000-amd64.img`;
}

/** Images and deltas, relative to the mirror. */
function publicFiles(mirror: string): string[] {
  return [
    ...readdirSync(mirror).filter((name) => name.endsWith('.img')),
    ...deltasIn(mirror).map((name) => `rdiffs/${name}`),
  ];
}

function deltasIn(mirror: string): string[] {
  return readdirSync(join(mirror, 'rdiffs')).filter((name) => name.endsWith('.rdiff'));
}

function jq(filter: string, file: string): string[] {
  return run('jq', ['-r', filter, file]);
}

function run(tool: string, args: readonly string[], cwd?: string): string[] {
  return linesOf(execFileSync(tool, args, { encoding: 'utf8', ...(cwd === undefined ? {} : { cwd }) }));
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
