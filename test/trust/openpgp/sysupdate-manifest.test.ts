import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseSha256Hex } from '../../../src/metadata/brands.js';
import { parseSha256Sums, renderSha256Sums, type Sha256Entry } from '../../../src/metadata/checksum-lists.js';
import {
  bestBeforeFile,
  bestBeforeOf,
  chooseBestBefore,
  withBestBefore,
} from '../../../src/trust/openpgp/sysupdate-manifest.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const run = promisify(execFile);
const sha256 = parseSha256Hex(createHash('sha256').update('image').digest('hex'), 'test');
const image: Sha256Entry = { path: 'puavo-os-acme-sid-2024-01-01-060000-amd64.img', sha256 };
const later: Sha256Entry = { path: 'puavo-os-acme-sid-2024-01-02-060000-amd64.img', sha256 };

/** A line as systemd-sysupdate 257 wants it: no escape, and a name, not a path. */
const LINE = /^[0-9a-f]{64} [ *][^/\p{Cc}]+$/u;

describe('SHA256SUMS for systemd-sysupdate', () => {
  it('says until when it is good, by the day of UTC', () => {
    expect(bestBeforeFile(new Date('2026-02-28T23:59:59.999Z'))).toBe('BEST-BEFORE-2026-02-28');
    expect(bestBeforeFile(new Date('2026-03-01T00:00:00+02:00'))).toBe('BEST-BEFORE-2026-02-28');
    expect(renderSha256Sums(withBestBefore([image], new Date('2026-03-01T00:00:00Z')))).toBe(
      `e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  BEST-BEFORE-2026-03-01\n${sha256}  ${image.path}\n`,
    );
  });

  it('says so once, though it did before', () => {
    const once = withBestBefore([image, later], new Date('2026-03-01T00:00:00Z'));
    const twice = withBestBefore(once, new Date('2026-04-01T00:00:00Z'));
    expect(twice.map(({ path }) => path)).toEqual(['BEST-BEFORE-2026-04-01', image.path, later.path]);
    expect(parseSha256Sums(renderSha256Sums(twice), 'SHA256SUMS')).toEqual(twice);
  });

  it('has its day in a name, and in no other name', () => {
    expect(bestBeforeOf('BEST-BEFORE-2026-02-28')).toEqual(new Date('2026-02-28T00:00:00Z'));
    for (const name of [
      'BEST-BEFORE-2026-02-30',
      'BEST-BEFORE-2026-2-28',
      'BEST-BEFORE-',
      'x',
      'BEST-BEFORE-0000-01-01',
    ]) {
      expect(bestBeforeOf(name), name).toBeNull();
    }
  });

  it('is good for the whole duration at first, and keeps its day while half of that is left', () => {
    const [day, now] = [86_400_000, new Date('2026-03-01T12:00:00Z')];
    const chosen = (current: string | null, days: number) =>
      bestBeforeFile(chooseBestBefore(current === null ? null : new Date(current), days * day, now)).slice(-5);
    expect(chosen(null, 30)).toBe('04-01');
    expect(chosen('2026-04-01', 30)).toBe('04-01');
    expect(chosen('2026-03-17', 30)).toBe('03-17');
    expect(chosen('2026-03-16', 30)).toBe('04-01');
    expect(chosen('2025-01-01', 30)).toBe('04-01');
    // It was longer before.
    expect(chosen('2026-04-01', 10)).toBe('03-12');
    expect(chosen(null, 1)).toBe('03-03');
    expect(chosen('2026-03-02', 1)).toBe('03-02');
  });

  it('has no day that four digits of a year cannot say', () => {
    expect(() => bestBeforeFile(new Date('+010000-01-01T00:00:00Z'))).toThrow('expected a year from 1970 to 9999');
    expect(() => bestBeforeFile(new Date(Number.NaN))).toThrow('expected a year from 1970 to 9999, found NaN');
  });

  it('has only lines that it reads', () => {
    const lines = renderSha256Sums(withBestBefore([image, later], new Date('2026-03-01T00:00:00Z'))).split('\n');
    expect(lines.slice(0, -1).filter((line) => !LINE.test(line))).toEqual([]);
    expect(lines).toHaveLength(4);
  });

  it('is true for sha256sum where the empty file lies beside it', async () => {
    const folder = await temporaryDirectory();
    const entries = withBestBefore([image], new Date('2026-03-01T00:00:00Z'));
    await writeFile(join(folder, image.path), 'image');
    await writeFile(join(folder, 'BEST-BEFORE-2026-03-01'), '');
    await writeFile(join(folder, 'SHA256SUMS'), renderSha256Sums(entries));
    const { stdout } = await run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder });
    expect(stdout).toBe(`BEST-BEFORE-2026-03-01: OK\n${image.path}: OK\n`);
  });
});
