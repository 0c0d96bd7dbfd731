import { expect, test } from 'vitest';
import { pathsToInvalidate } from '../../../src/publish/cloudfront/paths.js';

const many = (count: number, name: (n: number) => string) => Array.from({ length: count }, (_, n) => name(n));

test('paths have the prefix, and what is not ASCII encoded as in URLs, nothing else', () => {
  expect(pathsToInvalidate('', ['CKSUMS', 'meta/a+b.json'])).toEqual(['/CKSUMS', '/meta/a+b.json']);
  expect(pathsToInvalidate('spiegel ä/', ['index.json'])).toEqual(['/spiegel%20%C3%A4/index.json']);
});

test('3000 paths are named one by one, more of them by their directories', () => {
  const metas = many(2999, (n) => `meta/${n}.json`);
  expect(pathsToInvalidate('p/', [...metas, 'CKSUMS'])).toHaveLength(3000);
  expect(pathsToInvalidate('p/', [...metas, 'CKSUMS', 'index.json'])).toEqual([
    '/p/CKSUMS',
    '/p/index.json',
    '/p/meta/*',
  ]);
});

test('too many directories, or too many paths without one, are everything below the prefix', () => {
  expect(
    pathsToInvalidate(
      'p/',
      many(3001, (n) => `d${n % 15}/${n}`),
    ),
  ).toHaveLength(15);
  expect(
    pathsToInvalidate(
      'p/',
      many(3001, (n) => `d${n % 16}/${n}`),
    ),
  ).toEqual(['/p/*']);
  expect(pathsToInvalidate('', many(3001, String))).toEqual(['/*']);
});
