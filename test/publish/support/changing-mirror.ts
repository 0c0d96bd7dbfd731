import { linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { runCli } from '../../cli/run.js';
import { dailyStamps } from '../../support/image-name.js';
import { makeImageSeries } from '../../support/image-series.js';

/** A mirror that is built again and again, as an operator does. */
export interface ChangingMirror {
  readonly path: string;
  /** Builds it of the images that follow. */
  next(): Promise<void>;
}

/**
 * A small mirror of two series below `folder`, for so many builds. In turn they add an image to each series, withdraw one
 * series, and have that again, with the image it ended with and a new one, while the other loses its oldest. Needs
 * mksquashfs.
 */
export async function makeChangingMirror(folder: string, builds: number): Promise<ChangingMirror> {
  const make = (stem: string) =>
    makeImageSeries({
      dir: join(folder, 'pool'),
      stem,
      arch: 'amd64',
      stamps: dailyStamps(firstDay(builds - 1) + 3),
      compressor: 'gzip',
      seed: stem,
      sizeBytes: 300_000,
    });
  const [one, two] = [await make('puavo-os-one-bookworm'), await make('puavo-os-two-bookworm')];
  const [images, path] = [join(folder, 'images'), join(folder, 'mirror')];
  mkdirSync(images);
  let build = 0;
  const next = async (): Promise<void> => {
    const first = firstDay(build);
    const wanted = [
      [...one.slice(first, first + 2), ...two.slice(first, first + 2)],
      [...one.slice(first, first + 3), ...two.slice(first, first + 3)],
      one.slice(first, first + 3),
    ][build % 3];
    for (const name of readdirSync(images)) rmSync(join(images, name));
    for (const image of wanted ?? []) linkSync(image, join(images, basename(image)));
    build += 1;
    // Small images have large deltas.
    const options = '--quiet --base-url https://images.example.org --prune --grace 0 --max-delta-ratio 1'.split(' ');
    expect(await runCli([...options, images, path])).toMatchObject({ code: 0 });
  };
  return { path, next };
}

/** The oldest image, counted in days, of a build. */
function firstDay(build: number): number {
  return 2 * Math.floor(build / 3);
}
