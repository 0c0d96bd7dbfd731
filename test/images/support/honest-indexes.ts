import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface NamedFile {
  readonly filename: string;
  size: number;
  cksum: string;
  sha256: string;
  sha512: string;
}
type NamedDelta = NamedFile & { zst?: NamedFile };
type Meta = Record<string, { images: (NamedFile & { version: string; diffs: NamedDelta[] })[] }>;

/**
 * Makes every index of a mirror tell the truth about the files that its meta files name, whatever these hold by now. It
 * stands for a producer who checks nothing: sizes and digests come from node:crypto and coreutils.
 */
export function writeIndexesOf(mirror: string): void {
  const cksums = new Map<string, string>();
  const sums = new Map<string, string>();
  const newest = new Map<string, NamedFile>();
  for (const name of readdirSync(join(mirror, 'meta'))) {
    const meta = JSON.parse(readFileSync(join(mirror, 'meta', name), 'utf8')) as Meta;
    for (const [series, { images }] of Object.entries(meta)) {
      for (const image of images) {
        const deltas = image.diffs.flatMap((delta) => [delta, delta.zst ?? []].flat());
        for (const [path, file] of [[image.filename, image], ...deltas.map(inRdiffs)] as [string, NamedFile][]) {
          Object.assign(file, factsOf(join(mirror, path)));
          cksums.set(path, `${file.cksum} ${file.size} ${file.filename}\n`);
          sums.set(path, `${file.sha256}  ${file.filename}\n`);
        }
        newest.set(series, image);
      }
    }
    writeFileSync(join(mirror, 'meta', name), JSON.stringify(meta));
  }
  writeFileSync(join(mirror, 'CKSUMS'), [...cksums.values()].join(''));
  const linesOf = (inRdiffs: boolean) =>
    [...sums].filter(([path]) => path.startsWith('rdiffs/') === inRdiffs).map(([, line]) => line);
  writeFileSync(join(mirror, 'SHA256SUMS'), linesOf(false).join(''));
  if (linesOf(true).length > 0) writeFileSync(join(mirror, 'rdiffs/SHA256SUMS'), linesOf(true).join(''));
  const index = JSON.parse(readFileSync(join(mirror, 'index.json'), 'utf8')) as {
    series: { name: string; newest: { size: number; sha256: string } }[];
  };
  for (const { name, newest: image } of index.series) {
    const { size = 0, sha256 = '' } = newest.get(name) ?? {};
    Object.assign(image, { size, sha256 });
  }
  writeFileSync(join(mirror, 'index.json'), `${JSON.stringify(index, null, 2)}\n`);
}

function inRdiffs(delta: NamedFile): [string, NamedFile] {
  return [`rdiffs/${delta.filename}`, delta];
}

function factsOf(path: string): Omit<NamedFile, 'filename'> {
  const bytes = readFileSync(path);
  return {
    size: bytes.length,
    cksum: execFileSync('cksum', { input: bytes, encoding: 'utf8' }).split(' ')[0] ?? '',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    sha512: createHash('sha512').update(bytes).digest('hex'),
  };
}
