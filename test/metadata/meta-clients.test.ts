import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { renderSeriesMeta } from '../../src/metadata/meta.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { exampleMeta, exampleWithZst, withBarrier } from './worked-example.js';

const run = promisify(execFile);
const images = exampleMeta.images;
const diffs = images.flatMap((image) => image.diffs);

const missing = !haveTools('jq');

describe.skipIf(missing)('deployed laptops, which ask jq,', () => {
  it.each(images)('find size and sha512 of the image $filename', async ({ filename, size, sha512 }) => {
    const filter = '.[][][] | objects | select(.filename == $f) | "\\(.size) \\(.sha512)"';
    expect(await jq(filter, filename)).toBe(`${size} ${sha512}\n`);
  });

  it.each(diffs)('find size and sha512 of the delta $filename', async ({ filename, size, sha512 }) => {
    const filter = '.[][][] | objects | .diffs[] | select(.filename == $f) | "\\(.size) \\(.sha512)"';
    expect(await jq(filter, filename)).toBe(`${size} ${sha512}\n`);
  });

  it('find nothing, and no error, in a series without images', async () => {
    expect(await jq('.[][][] | objects | select(.filename == $f)', 'a.img', [])).toBe('');
  });
});

describe.skipIf(missing)('deployed bootservers', () => {
  it('find the images of every top-level key, with all fields of the types that they insist on', async () => {
    const strings = '(.filename, .version, .sha256 | type == "string" and . != "")';
    const others = '(.size | type == "number" and floor == .), (.urls | type == "array" and length > 0)';
    const ids = '[.[].images[].id | type == "string" and . != ""]';
    const files = `[.[].images[] | (., .diffs[]) | ${strings}, ${others}]`;
    expect(await jq(`${ids} + ${files} | [length, all] | tojson`, '')).toBe(
      `[${images.length + (images.length + diffs.length) * 5},true]\n`,
    );
  });

  it('index the images by version and find the base of every delta among them', async () => {
    const filter = '.[].images | INDEX(.version) as $by | .[].diffs[] | $by[.version].filename';
    expect(await jq(filter, '')).toBe(`${images[1]?.filename}\n${images[0]?.filename}\n`);
  });
});

describe.skipIf(missing)('deployed clients of a mirror with compressed deltas and barriers', () => {
  const questions = [
    '.[][][] | objects | select(.filename == $f) | "\\(.size) \\(.sha512)"',
    '.[][][] | objects | .diffs[] | select(.filename == $f) | "\\(.size) \\(.sha512)"',
    '.[][][] | select(type == "object" and has("diffs")) | .diffs[] | select(has("size") and .filename == $f) | .size',
    '.[].images[] | ., .diffs[] | "\\(.cksum) \\(.size) \\(.filename)"',
    '.[].images | INDEX(.version) as $by | .[].diffs[] | $by[.version].filename',
    '.[].images[].diffs | sort_by(.version) | .[-2:][] | "\\(.version) \\(.urls[0]) \\(.sha256)"',
    '.. | objects | select(.filename? == $f) | "\\(.size) \\(.sha256)"',
    '[.. | objects | select(has("version")) | .filename]',
  ];
  const names = [...images, ...diffs].map(({ filename }) => filename);

  it.each(questions)('are answered as before when they ask %s', async (filter) => {
    for (const name of names) {
      const before = await jq(filter, name);
      expect(await jq(filter, name, exampleWithZst.images)).toBe(before);
      expect(await jq(filter, name, withBarrier.images)).toBe(before);
    }
  });

  it('take the compressed delta neither for an image nor for a delta', async () => {
    const [name = ''] = exampleWithZst.images[0]?.diffs.flatMap(({ zst }) => zst?.filename ?? []) ?? [];
    for (const filter of questions.slice(0, 3)) expect(await jq(filter, name, exampleWithZst.images)).toBe('');
  });
});

/** What Debian's jq prints for `filter`, with $f, on the meta file of the example. */
async function jq(filter: string, f: string, list = images): Promise<string> {
  const path = join(await temporaryDirectory(), 'meta.json');
  await writeFile(path, renderSeriesMeta({ ...exampleMeta, images: list }));
  return (await run('jq', ['-r', '--arg', 'f', f, filter, path])).stdout;
}
