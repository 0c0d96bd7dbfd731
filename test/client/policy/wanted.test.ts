import { describe, expect, it } from 'vitest';
import type { TextSource } from '../../../src/client/catalog.js';
import { readWanted } from '../../../src/client/policy/wanted.js';
import { series, version } from './offers.js';

const { signal } = new AbortController();
const wish = { kind: 'channel', path: 'channels/stable.json' } as const;
const text = JSON.stringify({ format: 1, series, version: version(3), note: 'for all schools' });

describe('what is wanted', () => {
  it('is read from the file of a channel, of which a bounded part is asked for', async () => {
    const asked: unknown[] = [];
    const source = saying(text, asked);
    expect(await readWanted(wish, source, signal)).toEqual({ ...wish, channel: { series, version: version(3) } });
    expect(asked).toEqual([{ path: 'channels/stable.json', maxBytes: 64 * 1024 }, signal]);
  });

  it('needs no file where it is the newest or a version', async () => {
    const read = async () => await Promise.reject(new Error('not to be read'));
    expect(await readWanted({ kind: 'latest' }, { read }, signal)).toEqual({ kind: 'latest' });
    const one = { kind: 'version', version: version(1) } as const;
    expect(await readWanted(one, { read }, signal)).toEqual(one);
  });

  it('is not known where the mirror has no such channel', async () => {
    await expect(readWanted(wish, saying(null), signal)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'channels/stable.json: expected a channel file on the mirror, found none',
    });
  });

  it.each([
    ['"format":1', '"format":2', '.format: expected the format 1 that this program knows, found 2'],
    ['"format":1,', '', '.format: expected the format 1 that this program knows, found nothing'],
    ['"puavo', '"../puavo', '.series: expected a series name that can be a file name'],
    [`"${version(3)}"`, '20260003000000', '.version: expected a version of 14 digits'],
    ['}', '', 'expected JSON'],
  ])('is refused where the channel file is wrong: %s', async (from, to, message) => {
    await expect(readWanted(wish, saying(text.replace(from, to)), signal)).rejects.toMatchObject({
      code: 'FORMAT',
      message: expect.stringContaining(`channels/stable.json: ${message}`),
    });
  });
});

/** A mirror with one text, whatever is asked for; null for one without it. */
function saying(text: string | null, asked: unknown[] = []): Pick<TextSource, 'read'> {
  return {
    async read(wanted, parse, ...rest) {
      asked.push(wanted, ...rest);
      return text === null ? null : parse(text, wanted.path);
    },
  };
}
