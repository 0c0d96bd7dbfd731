import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { dayDelta, dayImage, SERIES, type Workshop } from './workshop.js';

const CHECKSUM_TOOLS = ['cksum', 'sha256sum', 'sha512sum'] as const;

/**
 * Makes the mirror that Puavo's own producer leaves: hard links, deltas of rdiff with blocks of 128 bytes, its private
 * caches of checksums and signatures, meta and CKSUMS. `deltas` are pairs of days; images without a squashfs have no
 * puavo-conf.
 */
export function makeOldMirror(
  { imagesDir, mirrorDir }: Workshop,
  baseUrl: string,
  days: readonly number[],
  deltas: readonly (readonly [base: number, target: number])[],
): void {
  for (const directory of ['meta', 'rdiffs', '.checksums', '.signatures']) {
    mkdirSync(join(mirrorDir, directory), { recursive: true });
  }
  for (const day of days) linkSync(join(imagesDir, dayImage(day)), join(mirrorDir, dayImage(day)));
  for (const [base, target] of deltas) makeDelta(mirrorDir, base, target);
  const listed: string[] = [];
  const images = days.map((day) => {
    const image = join(mirrorDir, dayImage(day));
    const facts = rememberChecksums(mirrorDir, image);
    listed.push(facts.line);
    const diffs = deltas
      .filter(([, target]) => target === day)
      .map(([base]) => {
        const path = join(mirrorDir, 'rdiffs', dayDelta(base, day));
        const { line, ...sums } = rememberChecksums(mirrorDir, path);
        listed.push(line);
        const urls = [`${baseUrl}/rdiffs/${basename(path)}`];
        return { filename: basename(path), urls, version: versionOf(base), size: statSync(path).size, ...sums };
      });
    const { line: _, ...sums } = facts;
    return {
      diffs,
      filename: dayImage(day),
      id: dayImage(day).replace('.img', ''),
      'puavo-conf': {},
      size: statSync(image).size,
      urls: [`${baseUrl}/${dayImage(day)}`],
      version: versionOf(day),
      ...sums,
    };
  });
  writeFileSync(join(mirrorDir, 'meta', `${SERIES}.json`), JSON.stringify({ [SERIES]: { images } }));
  writeFileSync(join(mirrorDir, 'CKSUMS'), listed.join(''));
}

function makeDelta(mirrorDir: string, base: number, target: number): void {
  const signature = join(mirrorDir, '.signatures', `${dayImage(base)}.rdiff_signature`);
  execFileSync('rdiff', ['-f', '-b', '128', 'signature', join(mirrorDir, dayImage(base)), signature]);
  const delta = join(mirrorDir, 'rdiffs', dayDelta(base, target));
  execFileSync('rdiff', ['delta', signature, join(mirrorDir, dayImage(target)), delta]);
}

/** Runs the three tools in the file's directory and caches what they print; returns their sums and the line of cksum. */
function rememberChecksums(mirrorDir: string, path: string) {
  const [cksum = '', sha256 = '', sha512 = ''] = CHECKSUM_TOOLS.map((tool) => {
    const output = execFileSync(tool, [basename(path)], { cwd: join(path, '..'), encoding: 'utf8' });
    writeFileSync(join(mirrorDir, '.checksums', `${basename(path)}.${tool}`), output);
    return output;
  });
  const first = (output: string): string => output.split(' ')[0] ?? '';
  return { cksum: first(cksum), sha256: first(sha256), sha512: first(sha512), line: cksum };
}

function versionOf(day: number): string {
  return /(\d{4})-(\d{2})-(\d{2})-(\d{6})/.exec(dayImage(day))?.slice(1).join('') ?? '';
}
