import { expect, it } from 'vitest';
import { parseSeriesName } from '../../src/metadata/brands.js';
import { metaPath, mirrorUrl, rdiffPath } from '../../src/metadata/mirror-paths.js';

it('deltas and meta files lie in their folders', () => {
  expect(rdiffPath('a.rdiff')).toBe('rdiffs/a.rdiff');
  expect(metaPath(parseSeriesName('puavo-os-acme-buster-amd64', 'here'))).toBe('meta/puavo-os-acme-buster-amd64.json');
});

it('a URL has one slash between its base and the path, and only ASCII in the path', () => {
  expect(mirrorUrl('https://images.school.example', 'rdiffs/a.rdiff')).toBe(
    'https://images.school.example/rdiffs/a.rdiff',
  );
  expect(mirrorUrl('https://images.school.example/os//', 'a+b~c.img')).toBe(
    'https://images.school.example/os/a+b~c.img',
  );
  expect(mirrorUrl('https://images.school.example', 'päivä.img')).toBe(
    'https://images.school.example/p%C3%A4iv%C3%A4.img',
  );
});
