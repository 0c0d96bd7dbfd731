import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileLabel } from '../../../src/cli/render/file-label.js';
import { printable } from '../../../src/cli/render/printable.js';
import { shortenMiddle } from '../../../src/cli/render/shorten.js';
import { renderTable } from '../../../src/cli/render/table.js';
import { DELTA, NEW_IMAGE } from './sample-events.js';

describe('text from outside', () => {
  it.each([
    ['plain text – äö 日本', 'plain text – äö 日本'],
    ['a\u001b[31mb', 'a\\x1b[31mb'],
    ['a\nb\rc\td', 'a\\x0ab\\x0dc\\x09d'],
    ['\u0000\u007f\u009b', '\\x00\\x7f\\x9b'],
    ['gnp.\u202eexe', 'gnp.\\u{202e}exe'],
    ['a\u2028b\u200bc', 'a\\u{2028}b\\u{200b}c'],
    ['\ud800', '\\u{d800}'],
  ])('%j is printed as %s', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});

describe('shortening', () => {
  it('leaves out the middle and keeps more of the end, where names of a series differ', () => {
    expect(shortenMiddle('0123456789abcdef', 16)).toBe('0123456789abcdef');
    expect(shortenMiddle('0123456789abcdef', 12)).toBe('01...9abcdef');
    expect(shortenMiddle('0123456789abcdef', 7)).toBe('0123456');
    expect(shortenMiddle('0123456789abcdef', 0)).toBe('');
    expect(shortenMiddle('0123456789abcdef', -1)).toBe('');
  });

  it('fills the width exactly', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 60 }), fc.integer({ min: 0, max: 80 }), (text, width) => {
        expect(shortenMiddle(text, width)).toHaveLength(Math.min(text.length, width));
      }),
    );
  });
});

describe('the label of a file beside its bar', () => {
  it('is its name without directory and extension', () => {
    expect(fileLabel(`images/${NEW_IMAGE}`, 80)).toBe('puavo-os-acme-buster-2022-01-20-173248-amd64');
    expect(fileLabel('CKSUMS', 80)).toBe('CKSUMS');
  });

  it('keeps version and architecture of an image', () => {
    expect(fileLabel(NEW_IMAGE, 36)).toBe('puavo-os...r-2022-01-20-173248-amd64');
  });

  it('keeps both stamps of a delta, the whole name where it fits', () => {
    expect(fileLabel(DELTA, 80)).toBe('puavo-os-acme-buster-2022-01-17-120001--2022-01-20-173248-amd64');
    expect(fileLabel(DELTA, 60)).toBe('puavo-os-acme-...-2022-01-17-120001--2022-01-20-173248-amd64');
    expect(fileLabel(DELTA, 40)).toBe('2022-01-17-120001--2022-01-20-173248');
    expect(fileLabel(DELTA, 20)).toBe('puav...-173248-amd64');
  });
});

describe('tables', () => {
  const columns = [
    { title: 'FILE', align: 'left', shrinks: true },
    { title: 'SIZE', align: 'right' },
  ] as const;

  it('are as wide as their widest cells', () => {
    expect(
      renderTable(columns, [
        ['a', '1 B'],
        ['longer', '1000 B'],
      ]),
    ).toEqual(['FILE      SIZE', 'a          1 B', 'longer  1000 B']);
  });

  it('shorten the columns that may shrink to fit a terminal, but not to nothing', () => {
    const rows = [['0123456789abcdef0123456789', '1 B']];
    expect(renderTable(columns, rows, 24)[1]).toBe('012...ef0123456789   1 B');
    expect(renderTable(columns, rows, 5)[1]).toBe('01...3456789   1 B');
  });
});
