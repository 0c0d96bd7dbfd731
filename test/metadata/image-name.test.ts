import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasCode } from '../../src/errors.js';
import {
  classifyImageName,
  compareVersions,
  parseImageName,
  parseRdiffName,
  rdiffFileName,
} from '../../src/metadata/image-name.js';
import { anyText, imageName, stamp } from './arbitraries.js';

describe('an image name', () => {
  it('is split at its stamp into stem, stamp and arch', () => {
    expect(parseImageName('puavo-os-acme-buster-2022-01-17-120001-amd64.img')).toEqual({
      fileName: 'puavo-os-acme-buster-2022-01-17-120001-amd64.img',
      id: 'puavo-os-acme-buster-2022-01-17-120001-amd64',
      stem: 'puavo-os-acme-buster',
      stamp: '2022-01-17-120001',
      arch: 'amd64',
      version: '20220117120001',
      series: 'puavo-os-acme-buster-amd64',
    });
  });

  it.each([
    ['ltsp-lukio-trusty-2016-01-21-120716-i386.img', 'ltsp-lukio-trusty-i386', '20160121120716'],
    ['puavo-os-north-west-sid-2024-02-31-000000-amd64.img', 'puavo-os-north-west-sid-amd64', '20240231000000'],
    ['debian-12-2024-01-01-010203-amd64.img', 'debian-12-amd64', '20240101010203'],
    ['x-0000-00-00-000000-y.img', 'x-y', '00000000000000'],
    ['päivä-2024-01-01-010203-amd64.img', 'päivä-amd64', '20240101010203'],
  ])('is accepted whatever its prefix, dashes and calendar: %s', (fileName, series, version) => {
    expect(parseImageName(fileName)).toMatchObject({ series, version });
  });

  it.each([
    ['.puavo-os-acme-buster-2022-01-17-120001-amd64.img', 'is hidden'],
    ['.img', 'is hidden'],
    ['', 'does not end in .img'],
    ['README', 'does not end in .img'],
    ['puavo-os-acme-buster-2022-01-17-120001-amd64.img.tmp', 'does not end in .img'],
    ['puavo-os-acme-buster-2022-01-17-120001-amd64.IMG', 'does not end in .img'],
    ['ltsp.img', 'carries no stamp YYYY-MM-DD-HHMMSS'],
    ['puavo-os-acme-buster-2022-01-17-amd64.img', 'carries no stamp YYYY-MM-DD-HHMMSS'],
  ])('is not seen in what never was one: %j', (fileName, reason) => {
    expect(classifyImageName(fileName)).toEqual({ kind: 'other', reason });
  });

  it.each([
    ['a-2022-01-17-120001-2022-01-18-120001-amd64.img', 'more than one stamp'],
    ['a-2022-01-17-120001-b-2022-01-18-120001-amd64.img', 'more than one stamp'],
    ['a-2022-01-17-120001-02-03-000000-amd64.img', 'more than one stamp'],
    ['a-2022-01-17-120001-amd64 (1).img', 'a blank'],
    ['a\u00a0b-2022-01-17-120001-amd64.img', 'a blank'],
    ['a\n-2022-01-17-120001-amd64.img', 'a control character'],
    ['a\u202eb-2022-01-17-120001-amd64.img', 'a control character'],
    ['-a-2022-01-17-120001-amd64.img', 'a leading dash'],
    ['a\ufffd-2022-01-17-120001-amd64.img', 'not UTF-8'],
    ['a\ud800-2022-01-17-120001-amd64.img', 'not UTF-8'],
    ['a/b-2022-01-17-120001-amd64.img', 'a slash'],
    ['a\\b-2022-01-17-120001-amd64.img', 'a slash or a backslash'],
    ['a%2fb-2022-01-17-120001-amd64.img', 'meaning in URLs'],
    ['a?b-2022-01-17-120001-amd64.img', 'meaning in URLs'],
    ['2022-01-17-120001-amd64.img', 'between dashes'],
    ['a2022-01-17-120001-amd64.img', 'between dashes'],
    ['a-2022-01-17-1200012-amd64.img', 'between dashes'],
    ['a-2022-01-17-120001.img', 'between dashes'],
    ['a-2022-01-17-120001-.img', 'between dashes'],
    ['a-2022-01-17-120001-musl-amd64.img', 'between dashes'],
    [`${'a'.repeat(189)}-2022-01-17-120001-amd64.img`, '217 bytes, more than the 215'],
    [`${'a'.repeat(70_000)}-2022-01-17-120001-amd64.img`, 'more than the 255'],
  ])('is refused with the rule that it breaks: %j', (fileName, reason) => {
    const found = classifyImageName(fileName);
    expect(found.kind).toBe('refused');
    expect(found).toHaveProperty('reason', expect.stringContaining(reason));
  });

  it('that is refused is reported on one short line that names file, form and fault', () => {
    const fault = failure(() => parseImageName('a\nb-2022-01-17-120001-amd64.img'));
    expect(hasCode(fault, 'NAME')).toBe(true);
    expect(fault.message).toBe(
      '"a\\nb-2022-01-17-120001-amd64.img": expected an image name <stem>-YYYY-MM-DD-HHMMSS-<arch>.img, ' +
        'found that it has a control character',
    );
    expect(failure(() => parseImageName('x'.repeat(70_000))).message.length).toBeLessThan(250);
  });

  it('can be put together again from its parts', () => {
    fc.assert(
      fc.property(imageName, (name) => {
        expect(`${name.stem}-${name.stamp}-${name.arch}.img`).toBe(name.fileName);
        expect(`${name.id}.img`).toBe(name.fileName);
        expect(name.version).toMatch(/^\d{14}$/);
      }),
    );
  });

  it('is split where both the first-stamp and the last-stamp reading of the old tools split it', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0a-'), maxLength: 12 }), stamp, stamp, (text, one, two) => {
        for (const fileName of [`${text}-${one}-amd64.img`, `a-${one}-${text}-${two}-amd64.img`]) {
          const found = classifyImageName(fileName);
          if (found.kind !== 'image') continue;
          const { stem, stamp, arch } = found.name;
          for (const first of ['.*', '.*?']) {
            const match = new RegExp(`^(${first})-(\\d{4}-\\d{2}-\\d{2}-\\d{6})-(.*?).img$`).exec(fileName);
            expect(match?.slice(1)).toEqual([stem, stamp, arch]);
          }
        }
      }),
    );
  });

  it('of any text is classified without a failure, and an image is a plain file name', () => {
    fc.assert(
      fc.property(anyText(10), (text) => {
        const found = classifyImageName(`${text}-2022-01-17-120001-amd64.img`);
        if (found.kind === 'image') expect(found.name.fileName).not.toMatch(/[\s/\\\p{Cc}\p{Cf}\p{Cs}]|^[.-]/u);
      }),
    );
  });
});

describe('a delta name', () => {
  const old = parseImageName('puavo-os-acme-stretch-2020-12-01-060000-i386.img');
  const next = parseImageName('puavo-os-acme-buster-2022-01-17-120001-amd64.img');

  it('takes stem and arch from the base and only the second stamp from the target', () => {
    expect(rdiffFileName(old, next)).toBe('puavo-os-acme-stretch-2020-12-01-060000--2022-01-17-120001-i386.rdiff');
  });

  it('is read back into the parts of its base and the stamp of its target', () => {
    expect(parseRdiffName(rdiffFileName(old, next))).toEqual({
      stem: 'puavo-os-acme-stretch',
      baseStamp: '2020-12-01-060000',
      targetStamp: '2022-01-17-120001',
      arch: 'i386',
      version: '20201201060000',
      targetVersion: '20220117120001',
    });
  });

  it('is read back for any two images', () => {
    fc.assert(
      fc.property(imageName, imageName, (base, target) => {
        expect(parseRdiffName(rdiffFileName(base, target))).toMatchObject({
          stem: base.stem,
          arch: base.arch,
          version: base.version,
          targetVersion: target.version,
        });
      }),
    );
  });

  it.each([
    'a-2022-01-17-120001--2022-01-18-120001-amd64.img',
    'a-2022-01-17-120001-2022-01-18-120001-amd64.rdiff',
    'a-2022-01-17-120001--2022-01-18-120001.rdiff',
    'a-2022-01-17-120001--2022-01-18-120001--2022-01-19-120001-amd64.rdiff',
    '../a-2022-01-17-120001--2022-01-18-120001-amd64.rdiff',
    'a b-2022-01-17-120001--2022-01-18-120001-amd64.rdiff',
    '',
  ])('is not seen in %j', (fileName) => {
    expect(parseRdiffName(fileName)).toBeNull();
  });
});

it('versions are ordered as strings, which is the order of their instants', () => {
  fc.assert(
    fc.property(imageName, imageName, (a, b) => {
      expect(compareVersions(a.version, b.version)).toBe(Math.sign(Number(a.version) - Number(b.version)));
    }),
  );
});

function failure(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('expected a failure');
}
