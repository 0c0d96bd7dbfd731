import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.js';

const root = join(import.meta.dirname, '..', '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** The program without the libraries, which it does not load to say its version. */
async function copyProgram(): Promise<string> {
  const copy = join(await temporaryDirectory(), 'program');
  mkdirSync(join(copy, 'dist'), { recursive: true });
  for (const name of ['package.json', 'bin', join('dist', 'program')]) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  return copy;
}

function versionOf(program: string): string {
  return execFileSync(process.execPath, [join(program, 'bin', 'update-repository.js'), '--version'], {
    encoding: 'utf8',
  }).trim();
}

const programDirectory = join(root, 'dist', 'program');
const cached = readdirSync(programDirectory).flatMap((name) => (name.endsWith('.cache') ? [name.slice(0, -6)] : []));

describe('what V8 keeps of the program', () => {
  test('is of the files that a delta and a patch need, and is taken by the Node that made it', () => {
    const { compile } = createRequire(import.meta.url)(join(root, 'bin', 'load-program.js')) as {
      readonly compile: (filename: string) => { readonly cachedDataRejected?: boolean };
    };
    expect(cached).toContain('main.js');
    for (const module of ['apply', 'patch', 'single-delta']) {
      expect(cached).toContainEqual(expect.stringMatching(`^${module}-`));
    }
    for (const name of cached) {
      expect(compile(join(programDirectory, name)).cachedDataRejected, name).toBe(false);
    }
  });

  test('need not be there, and may be that of another Node', async () => {
    const program = await copyProgram();
    const cache = join(program, 'dist', 'program', 'main.js.cache');
    expect(versionOf(program)).toBe(version);

    writeFileSync(cache, 'of another one');
    expect(versionOf(program)).toBe(version);

    rmSync(cache);
    expect(versionOf(program)).toBe(version);
  });
});

test('the program asks for members of Node by their names, but for fs: else it would find none of them', () => {
  const files = readdirSync(programDirectory).filter((name) => name.endsWith('.js'));
  const wholes = files.flatMap((name) => {
    const text = readFileSync(join(programDirectory, name), 'utf8');
    return [...text.matchAll(/__toESM\((node_\w+)/g)].map(([, part]) => part);
  });
  expect([...new Set(wholes)]).toEqual(['node_fs']);
});
