import { describe, expect, it } from 'vitest';
import { openSquashfs } from '../../src/squashfs/squashfs.js';
import { handmadeImage } from './handmade-image.js';
import { imageOf } from './make-image.js';

const names = (count: number) => Array.from({ length: count }, (_, i) => `f${String(i).padStart(6, '0')}`);

describe('a large directory', () => {
  it('of 250,000 entries is listed, one more is refused', async () => {
    const image = await openSquashfs(imageOf(handmadeImage(names(250_000))));
    expect((await image.list('/')).at(-1)).toEqual({ name: 'f249999', type: 'file' });
    const larger = await openSquashfs(imageOf(handmadeImage(names(250_001))));
    await expect(larger.list('/')).rejects.toMatchObject({
      code: 'FORMAT',
      message: 'test.img: expected "/" to have at most 250000 entries, found more',
    });
  });

  it('has its entries found, whether it is small enough to be remembered or not', async () => {
    for (const count of [1, 255, 256, 257, 20_000, 20_001, 40_000]) {
      const image = await openSquashfs(imageOf(handmadeImage(names(count))));
      await expect(image.stat(`/f${count}`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      for (const index of [0, count >> 1, count - 1, 0]) {
        expect(await image.stat(`/${names(count)[index]}`)).toMatchObject({ type: 'file', sizeBytes: 0 });
      }
    }
  });

  it.each([
    ['unsorted', ['b', 'a'], 'expected a name that sorts after "b", found "a"'],
    ['repeated', ['a', 'a'], 'expected a name that sorts after "a", found "a"'],
    ['dot', ['.'], 'expected a file name, found "."'],
    ['dot-dot', ['..'], 'expected a file name, found ".."'],
    ['slashed', ['a/b'], 'expected a file name, found "a/b"'],
  ])('with %s names is refused', async (_, list, message) => {
    const image = await openSquashfs(imageOf(handmadeImage(list)));
    await expect(image.list('/')).rejects.toMatchObject({ code: 'FORMAT', message: expect.stringContaining(message) });
  });
});
