// The peak memory of a build with two large images at the default budget.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { measureOurBuild } from '../our-build.mjs';
import { megabytes, seconds } from '../table.mjs';
import { makeLargeImage } from './large-images.mjs';

/**
 * Builds a mirror of two images of `mebibytes` MiB that share nine tenths of their content, with a delta each way.
 * @param {{cache: string, program: string, mebibytes: number}} request
 * @param {import('../report.mjs').Say} say
 */
export async function measureLargeBuild({ cache, program, mebibytes }, say) {
  const imagesDir = join(cache, `large-${mebibytes}`);
  makeLargeImage(join(imagesDir, 'puavo-os-large-bookworm-2025-01-13-060000-amd64.img'), mebibytes, 0);
  makeLargeImage(join(imagesDir, 'puavo-os-large-bookworm-2025-01-27-060000-amd64.img'), mebibytes, 1);
  const work = mkdtempSync(join(cache, 'bench-'));
  try {
    console.error('memory: a build');
    const cost = await measureOurBuild(program, imagesDir, join(work, 'mirror'));
    say({
      title: `Memory of a build: two images of ${mebibytes} MiB, a delta each way`,
      rows: [
        ['', ''],
        ['peak memory, largest process', megabytes(cost.peakRssBytes)],
        ['peak memory, all processes', megabytes(cost.peakSumBytes)],
        ['CPU, all processes', seconds(cost.cpuSeconds)],
        ['wall clock', seconds(cost.wallSeconds)],
      ],
    });
    return { mebibytes, cost };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
