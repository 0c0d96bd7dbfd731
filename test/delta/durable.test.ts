import fs from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { applyDeltaToFile } from '../../src/delta/apply.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { makeDelta } from './support/engine.js';

test.each([
  { force: true, placing: ['rename'] },
  { force: false, placing: ['link', 'unlink'] },
])(
  'a target is on the disk before it gets its name, and its name is before it is called done (force: $force)',
  async ({ force, placing }) => {
    const dir = await temporaryDirectory();
    const { basePath, deltaPath } = makeDelta(dir, Buffer.from('base'), Buffer.from('target'));
    const calls: string[] = [];
    const { renameSync, linkSync, unlinkSync, fstatSync } = fs;
    using _sync = vi.spyOn(fs, 'fsyncSync').mockImplementation((fd) => {
      calls.push(fstatSync(fd).isDirectory() ? 'fsync of the directory' : 'fsync');
    });
    using _rename = vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
      calls.push('rename');
      renameSync(from, to);
    });
    using _link = vi.spyOn(fs, 'linkSync').mockImplementation((from, to) => {
      calls.push('link');
      linkSync(from, to);
    });
    using _unlink = vi.spyOn(fs, 'unlinkSync').mockImplementation((path) => {
      calls.push('unlink');
      unlinkSync(path);
    });
    await applyDeltaToFile({ basePath, deltaPath, targetPath: join(dir, 'new'), force });
    expect(calls).toEqual(['fsync', ...placing, 'fsync of the directory']);
  },
);
