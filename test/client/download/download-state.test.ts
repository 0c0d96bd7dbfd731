import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDownloadState, renderDownloadState } from '../../../src/client/download/download-state.js';
import { UpdateRepositoryError } from '../../../src/errors.js';
import { parseSha256Hex } from '../../../src/metadata/brands.js';
import { propertyRuns } from '../../delta/support/properties.js';

const sha256 = parseSha256Hex('ab'.repeat(32), 'a test');
const state = {
  sha256,
  sizeBytes: 5,
  sources: new Map([
    ['https://a.test', { etag: '"x"', lastModified: 'Thu, 01 Jan 2026 00:00:00 GMT' }],
    ['__proto__', { etag: null, lastModified: null }],
  ]),
};

test('what is written is read again', () => {
  expect(parseDownloadState(renderDownloadState(state), 'a.json')).toEqual(state);
});

test.each([
  [{ sha256: 'x' }, '.sha256'],
  [{ sizeBytes: -1 }, '.sizeBytes'],
  [{ sizeBytes: 1.5 }, '.sizeBytes'],
  [{ sources: [] }, '.sources'],
  [{ sources: { a: { etag: 'no tag', lastModified: null } } }, '.sources.a.etag'],
  [{ sources: { a: { etag: '"a\r\nb"', lastModified: null } } }, '.sources.a.etag'],
  [{ sources: { a: { etag: null, lastModified: 'x\n' } } }, '.sources.a.lastModified'],
  [{ sources: { a: { etag: null } } }, '.sources.a.lastModified'],
])('%j is refused by its name', (members, place) => {
  const text = JSON.stringify({ ...JSON.parse(renderDownloadState(state)), ...members });
  expect(() => parseDownloadState(text, 'a.json')).toThrow(
    expect.objectContaining({ code: 'FORMAT', message: expect.stringContaining(`a.json: ${place}: expected`) }),
  );
});

test('damage is an error of its own, or it is the state of something else, or harmless', () => {
  const text = renderDownloadState(state);
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 3 }), fc.nat(4), (at, put, length) => {
      try {
        parseDownloadState(text.slice(0, at) + put + text.slice(at + length), 'a.json');
      } catch (error) {
        if (!(error instanceof UpdateRepositoryError) || error.code !== 'FORMAT') throw error;
      }
    }),
    propertyRuns(2000),
  );
});
