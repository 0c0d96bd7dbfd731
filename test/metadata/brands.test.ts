import { expect, it } from 'vitest';
import {
  isSeriesName,
  parseImageVersion,
  parseSeriesName,
  parseSha256Hex,
  parseSha512Hex,
} from '../../src/metadata/brands.js';
import { isCksum } from '../../src/metadata/digests.js';

it('a version is 14 ASCII digits', () => {
  expect(parseImageVersion('20220117120001', 'here')).toBe('20220117120001');
  for (const text of [
    '',
    '2022011712000',
    '202201171200011',
    '2022-01-17-1200',
    '2022011712000x',
    '２０２２０１１７１２０００１',
  ]) {
    expect(() => parseImageVersion(text, 'a.json: .x')).toThrow(
      expect.objectContaining({
        code: 'FORMAT',
        message: `a.json: .x: expected a version of 14 digits, found ${JSON.stringify(text)}`,
      }),
    );
  }
});

it('hex digests have exactly their length, in lower case, without a newline', () => {
  expect(parseSha256Hex('0'.repeat(64), 'here')).toHaveLength(64);
  expect(parseSha512Hex('f'.repeat(128), 'here')).toHaveLength(128);
  for (const text of ['', '0'.repeat(63), '0'.repeat(65), `${'0'.repeat(63)}A`, `${'0'.repeat(64)}\n`]) {
    expect(() => parseSha256Hex(text, 'here')).toThrow(/^here: expected 64 lower-case hex digits, found "/);
    expect(() => parseSha512Hex(text + text, 'here')).toThrow(/^here: expected 128 lower-case hex digits, found "/);
  }
});

it('a series name may be any plain file name of up to 200 bytes', () => {
  for (const text of ['puavo-os-acme-buster-amd64', 'puavo-os-acme-buster-amd64-devel', 'a', 'x'.repeat(200)]) {
    expect(parseSeriesName(text, 'here')).toBe(text);
  }
  for (const text of [
    '',
    '.',
    '..',
    '.a',
    '-a',
    'a/b',
    '../a',
    'a b',
    'a\n',
    'a\\b',
    'x'.repeat(201),
    'ä'.repeat(101),
  ]) {
    expect(isSeriesName(text)).toBe(false);
    expect(() => parseSeriesName(text, 'here')).toThrow(expect.objectContaining({ code: 'NAME' }));
  }
});

it('a cksum is a 32-bit number as cksum prints it', () => {
  for (const text of ['0', '1', '4294967295']) expect(isCksum(text)).toBe(true);
  for (const text of ['', '01', '-1', '+1', '1e3', '0x1', '4294967296', '99999999999', '1\n', ' 1']) {
    expect(isCksum(text)).toBe(false);
  }
});
