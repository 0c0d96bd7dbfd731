import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rangeHeaders, servedRange } from '../../../src/client/download/served-range.js';
import { isEntityTag, isHttpDate, type Validators } from '../../../src/client/download/validators.js';
import { UpdateRepositoryError } from '../../../src/errors.js';
import { propertyRuns } from '../../delta/support/properties.js';

const request = { name: 'http://x.test/a.img', method: 'GET' };
const DATE = 'Thu, 01 Jan 2026 00:00:00 GMT';

const serve = (status: number, headers: Record<string, string>, fromByte: number, known: Validators | null = null) =>
  servedRange(request, { status, header: (name) => headers[name] }, { fromByte, sizeBytes: 1000, known });

test.each([
  [{ etag: '"a"', lastModified: DATE }, '"a"'],
  [{ etag: 'W/"a"', lastModified: DATE }, DATE],
  [{ etag: 'W/"a"', lastModified: null }, undefined],
  [null, undefined],
])('of %j a range is asked for on condition of %s', (known, condition) => {
  const headers = rangeHeaders({ fromByte: 10, sizeBytes: 1000, known });
  expect(headers).toEqual({ range: 'bytes=10-999', ...(condition === undefined ? {} : { 'if-range': condition }) });
  expect(rangeHeaders({ fromByte: 0, sizeBytes: 1000, known })).toEqual({});
});

test.each([
  ['a weak entity tag', { etag: 'W/"a"', lastModified: null }, { etag: 'W/"b"' }],
  ['a date', { etag: null, lastModified: DATE }, { 'last-modified': 'Thu, 01 Jan 2026 00:00:01 GMT' }],
  [
    'a date under the same entity tag',
    { etag: '"a"', lastModified: DATE },
    { 'last-modified': 'Fri, 02 Jan 2026 00:00:00 GMT' },
  ],
])('%s that changed tells of another file', (_, known, headers) => {
  const range = { 'content-range': 'bytes 10-999/1000', ...headers };
  expect(() => serve(206, range, 10, known)).toThrow(expect.objectContaining({ code: 'CHANGED_WHILE_READ' }));
  expect(() => serve(200, headers, 10, known)).toThrow(expect.objectContaining({ code: 'CHANGED_WHILE_READ' }));
  // Nobody has bytes of the other file yet.
  expect(serve(200, headers, 0, known)).toMatchObject({ fromByte: 0 });
});

test('a server that stops telling its state is not taken for one that changed it', () => {
  const known = { etag: '"a"', lastModified: DATE };
  expect(serve(206, { 'content-range': 'bytes 10-999/*' }, 10, known)).toMatchObject({ fromByte: 10, toByte: 1000 });
});

test('whatever an answer says, its bytes are at a place that was asked for, or it is refused in one line', () => {
  const number = fc.oneof(
    fc.integer({ min: -1, max: 1001 }),
    fc.constantFrom(10, 999, 1000, 2 ** 53, 1e30, Number.NaN),
  );
  const range = fc.oneof(
    fc.tuple(number, number, fc.oneof(number, fc.constant('*'))).map(([a, b, total]) => `bytes ${a}-${b}/${total}`),
    fc.string(),
    fc.constantFrom('bytes 10-999/1000', 'bytes 10-499/1000', 'bytes */1000', 'bytes 10-999/1000, bytes 0-9/1000'),
  );
  const headers = fc.record(
    {
      'content-range': range,
      'content-length': fc.oneof(number.map(String), fc.string(), fc.constantFrom('990', '490', '1000')),
      'content-encoding': fc.constantFrom('identity', 'gzip', ''),
      etag: fc.oneof(fc.string(), fc.constantFrom('"a"', '"b"', 'W/"a"')),
      'last-modified': fc.oneof(fc.string(), fc.constant(DATE)),
      'retry-after': fc.oneof(fc.string(), number.map(String), fc.constant(DATE)),
    },
    { requiredKeys: [] },
  );
  const status = fc.oneof(
    fc.constantFrom(200, 206, 206, 206, 304, 404, 416, 429, 503),
    fc.integer({ min: 200, max: 599 }),
  );
  const known = fc.constantFrom(null, { etag: '"a"', lastModified: null });
  let accepted = 0;
  fc.assert(
    fc.property(status, headers, fc.constantFrom(0, 10), known, (code, said, fromByte, before) => {
      try {
        const served = serve(code, said as Record<string, string>, fromByte, before);
        accepted += 1;
        expect([0, fromByte]).toContain(served.fromByte);
        expect(served.toByte).toBeGreaterThan(served.fromByte);
        expect(served.toByte).toBeLessThanOrEqual(1000);
        expect(code === 206).toBe(served.fromByte > 0);
        const { etag, lastModified } = served.validators;
        expect(etag === null || isEntityTag(etag)).toBe(true);
        expect(lastModified === null || isHttpDate(lastModified)).toBe(true);
        if (served.isLengthDeclared) expect(said['content-length']).toBe(String(served.toByte - served.fromByte));
      } catch (error) {
        if (!(error instanceof UpdateRepositoryError)) throw error;
        expect(error.message).toMatch(/^[\x20-\x7e]+$/);
        expect(['NETWORK', 'STORAGE', 'NOT_FOUND', 'CHANGED_WHILE_READ']).toContain(error.code);
        const { retryAfterMs = 0 } = error.data;
        expect(retryAfterMs).toBeGreaterThanOrEqual(0);
        expect(retryAfterMs).toBeLessThanOrEqual(300_000);
      }
    }),
    propertyRuns(3000),
  );
  expect(accepted).toBeGreaterThan(0);
});
