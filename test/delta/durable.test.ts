import fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { applyDeltaToFile } from '../../src/delta/apply.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { makeDelta } from './support/engine.js';

const calls = vi.hoisted((): string[] => []);
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return {
    ...real,
    rename: (from: string, to: string) => {
      calls.push('rename');
      return real.rename(from, to);
    },
    open: async (path: string, flags: string): Promise<FileHandle> => {
      const handle = await real.open(path, flags);
      return Object.assign(handle, { sync: async () => void calls.push('fsync of the directory') });
    },
  };
});

test('a target is on the disk before it gets its name, and its name is before it is called done', async () => {
  const dir = await temporaryDirectory();
  const { basePath, deltaPath } = makeDelta(dir, Buffer.from('base'), Buffer.from('target'));
  const sync = vi.spyOn(fs, 'fsyncSync').mockImplementation(() => void calls.push('fsync'));
  onTestFinished(() => sync.mockRestore());
  await applyDeltaToFile({ basePath, deltaPath, targetPath: join(dir, 'new') });
  expect(calls).toEqual(['fsync', 'rename', 'fsync of the directory']);
});
