import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { renderSeriesMeta } from '../../src/metadata/meta.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { exampleMeta } from './worked-example.js';

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

/** What Debian's jq prints for `filter`, with $f, on the meta file of the example. */
async function jq(filter: string, f: string, list = images): Promise<string> {
  const path = join(await temporaryDirectory(), 'meta.json');
  await writeFile(path, renderSeriesMeta({ ...exampleMeta, images: list }));
  return (await run('jq', ['-r', '--arg', 'f', f, filter, path])).stdout;
}
