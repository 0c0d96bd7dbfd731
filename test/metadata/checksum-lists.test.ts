import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSha256Hex } from '../../src/metadata/brands.js';
import { parseCksums, parseSha256Sums, renderCksums, renderSha256Sums } from '../../src/metadata/checksum-lists.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';
import { imageName, sha256 } from './arbitraries.js';
import { exampleCksums, exampleMeta } from './worked-example.js';

const run = promisify(execFile);
const files = new Map([
  ['puavo-os-acme-sid-2024-01-01-060000-amd64.img', Buffer.from('one image')],
  ['puavo-os-acme-sid-2024-01-02-060000-amd64.img', Buffer.alloc(0)],
  ['rdiffs/puavo-os-acme-sid-2024-01-01-060000--2024-01-02-060000-amd64.rdiff', Buffer.alloc(70_000, 'delta')],
]);
const zeros = parseSha256Hex('0'.repeat(64), 'test');

describe('CKSUMS', () => {
  it('has this form, byte for byte', () => {
    const entries = exampleMeta.images
      .flatMap((image) => [image, ...image.diffs])
      .map(({ filename, size, cksum }) => ({ fileName: filename, sizeBytes: size, cksum }));
    expect(renderCksums(entries)).toBe(exampleCksums);
    expect(renderCksums([])).toBe('');
  });

  it('is read back as it was written', () => {
    const entry = fc.record({
      fileName: imageName.map((name) => name.fileName),
      sizeBytes: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      cksum: fc.nat({ max: 0xffffffff }).map(String),
    });
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: ({ fileName }) => fileName }), (entries) => {
        expect(parseCksums(renderCksums(entries), 'CKSUMS')).toEqual(entries);
      }),
    );
  });

  it('is what cksum prints', async (context) => {
    requireTools(context, 'cksum');
    const dir = await writeFiles();
    const lines = await Promise.all(
      [...files.keys()].map(async (path) => {
        const [folder = '', name = ''] = path.startsWith('rdiffs/') ? ['rdiffs', path.slice(7)] : ['', path];
        return (await run('cksum', [name], { cwd: join(dir, folder) })).stdout;
      }),
    );
    const printed = lines.join('');
    const entries = parseCksums(printed, 'CKSUMS');
    expect(entries.map(({ sizeBytes }) => sizeBytes)).toEqual([9, 0, 70_000]);
    expect(renderCksums(entries)).toBe(printed);
  });

  it.each([
    ['1 2', '"1 2"'],
    ['1  2 a.img', '"1  2 a.img"'],
    ['1 2  a.img', 'a blank in " a.img"'],
    ['1\t2\ta.img', '"1\\t2\\ta.img"'],
    ['01 2 a.img', 'expected a decimal number below 2^32 without leading zeros, found "01"'],
    ['4294967296 2 a.img', 'found "4294967296"'],
    ['1 02 a.img', 'expected a size in bytes below 2^53 without leading zeros, found "02"'],
    ['1 9007199254740992 a.img', 'found "9007199254740992"'],
    ['1 9007199254740993 a.img', 'found "9007199254740993"'],
    ['1 99999999999999999999999 a.img', 'expected a size in bytes'],
    ['1 2 rdiffs/a.rdiff', 'expected a plain file name, found a slash or a backslash in "rdiffs/a.rdiff"'],
    ['1 2 ..', 'expected a plain file name, found a leading dot in ".."'],
    ['1 2 a.img\r', 'a control character in "a.img\\r"'],
    ['', 'found ""'],
    ['# comment', 'found "# comment"'],
  ])('with the line %j is refused at that line', (line, message) => {
    expect(() => parseCksums(`7 7 good.img\n${line}\n`, 'm/CKSUMS')).toThrow(
      expect.objectContaining({ code: 'FORMAT', message: expect.stringMatching(`^m/CKSUMS: line 2: expected `) }),
    );
    expect(() => parseCksums(`7 7 good.img\n${line}\n`, 'm/CKSUMS')).toThrow(message);
  });

  it('that repeats a line word for word counts it once', () => {
    expect(parseCksums('7 7 a.img\n1 2 b.img\n7 7 a.img\n', 'CKSUMS').map(({ fileName }) => fileName)).toEqual([
      'a.img',
      'b.img',
    ]);
  });

  it('that was cut off, or that says two things of a file, is refused', () => {
    expect(() => parseCksums('7 7 a.img\n1 2 b.im', 'CKSUMS')).toThrow(
      'CKSUMS: expected a newline at the end, found "1 2 b.im"',
    );
    expect(() => parseCksums('7 7 a.img\n1 2 b.img\n8 7 a.img\n', 'CKSUMS')).toThrow(
      'CKSUMS: line 3: expected a name once, found a.img of line 1 again',
    );
  });

  it('is not written with a name that breaks its lines or comes twice', () => {
    for (const fileName of ['a b.img', 'a\n1 2 b.img', 'rdiffs/a.rdiff', '']) {
      expect(() => renderCksums([{ fileName, sizeBytes: 1, cksum: '1' }])).toThrow(
        expect.objectContaining({ code: 'NAME' }),
      );
    }
    const entry = { fileName: 'a.img', sizeBytes: 1, cksum: '1' };
    expect(() => renderCksums([entry, entry])).toThrow(
      'CKSUMS: expected a.img to be plain and listed once, found it a second time',
    );
  });
});

describe('SHA256SUMS', () => {
  it('is read back as it was written', () => {
    const path = imageName.map((name) => name.fileName);
    fc.assert(
      fc.property(fc.uniqueArray(fc.record({ path, sha256 }), { selector: (entry) => entry.path }), (entries) => {
        expect(parseSha256Sums(renderSha256Sums(entries), 'SHA256SUMS')).toEqual(entries);
      }),
    );
  });

  it('satisfies sha256sum --check --strict, and is what sha256sum prints', async (context) => {
    requireTools(context, 'sha256sum');
    const dir = await writeFiles();
    const images = [...files].filter(([path]) => path.endsWith('.img'));
    const names = images.map(([path]) => path);
    const text = renderSha256Sums(
      images.map(([path, bytes]) => {
        return { path, sha256: parseSha256Hex(createHash('sha256').update(bytes).digest('hex'), path) };
      }),
    );
    await writeFile(join(dir, 'SHA256SUMS'), text);
    const { stdout } = await run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: dir });
    expect(stdout.match(/: OK$/gm)).toHaveLength(names.length);
    expect((await run('sha256sum', names, { cwd: dir })).stdout).toBe(text);
    const binary = (await run('sha256sum', ['--binary', ...names], { cwd: dir })).stdout;
    expect(binary).not.toBe(text);
    expect(parseSha256Sums(binary, 'SHA256SUMS')).toEqual(parseSha256Sums(text, 'SHA256SUMS'));
  });

  it('names no file in a directory, as earlier versions did, but is read where it does', () => {
    const entry = { path: 'rdiffs/a.rdiff', sha256: zeros };
    expect(() => renderSha256Sums([entry])).toThrow(expect.objectContaining({ code: 'NAME' }));
    expect(parseSha256Sums(`${zeros}  rdiffs/a.rdiff\n`, 'SHA256SUMS')).toEqual([entry]);
  });

  it.each([
    [`${zeros} a.img`, 'with two blanks'],
    [`${zeros}\ta.img`, 'with two blanks'],
    [`${zeros}  `, 'with two blanks'],
    [`${zeros.slice(1)}  a.img`, 'expected 64 lower-case hex digits'],
    [`${'A'.repeat(64)}  a.img`, 'expected 64 lower-case hex digits'],
    [`\\${zeros}  a\\nb.img`, 'expected 64 lower-case hex digits'],
    [`${zeros}   a.img`, 'expected a plain relative path, found a blank'],
    [`${zeros}  /etc/passwd`, 'expected a plain relative path, found an empty name'],
    [`${zeros}  ../a.img`, 'expected a plain relative path, found a leading dot'],
    [`${zeros}  rdiffs/../../a`, 'expected a plain relative path, found a leading dot'],
    [`${zeros}  rdiffs//a`, 'expected a plain relative path, found an empty name'],
    [`${zeros}  rdiffs/`, 'expected a plain relative path, found an empty name'],
    [`${zeros}  a\\b`, 'expected a plain relative path, found a slash or a backslash'],
  ])('with the line %j is refused at that line', (line, message) => {
    const parse = () => parseSha256Sums(`${zeros}  good.img\n${line}\n`, 'SHA256SUMS');
    expect(parse).toThrow(
      expect.objectContaining({ code: 'FORMAT', message: expect.stringMatching('^SHA256SUMS: line 2: expected ') }),
    );
    expect(parse).toThrow(message);
  });

  it('may not name a path twice, whatever its mark', () => {
    expect(() => parseSha256Sums(`${zeros}  a.img\n${zeros} *a.img\n`, 'SHA256SUMS')).toThrow(
      'SHA256SUMS: line 2: expected a name once, found a.img of line 1 again',
    );
  });
});

it('any text is either a list or a FORMAT error', () => {
  const text = fc.string({ unit: fc.constantFrom('0', 'a', ' ', '\n', '*', '/', '.', '\\'), maxLength: 100 });
  fc.assert(
    fc.property(text, (text) => {
      for (const parse of [parseCksums, parseSha256Sums]) {
        try {
          parse(text, 'list');
        } catch (error) {
          expect(error).toMatchObject({ code: 'FORMAT' });
        }
      }
    }),
  );
});

async function writeFiles(): Promise<string> {
  const dir = await temporaryDirectory();
  await mkdir(join(dir, 'rdiffs'));
  for (const [path, bytes] of files) await writeFile(join(dir, path), bytes);
  return dir;
}
