import fs from 'node:fs';
import type fsPromises from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { writeNewFile } from '../../src/delta/output-file.js';
import { writingBehind } from '../../src/delta/write-behind.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const flushed = vi.hoisted((): { bytes: number[]; fail: boolean } => ({ bytes: [], fail: false }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fsPromises>();
  const open = async (path: string, flags: string) => {
    const handle = await real.open(path, flags);
    const datasync = async () => {
      flushed.bytes.push(fs.statSync(path).size);
      if (flushed.fail) throw Object.assign(new Error('no'), { code: 'ENOSPC', errno: -28 });
      await handle.datasync();
    };
    return { datasync, close: () => handle.close() };
  };
  return { ...real, open };
});

async function slowWriting(): Promise<{ path: string; write: () => Promise<string>; isDone: () => boolean }> {
  const path = join(await temporaryDirectory(), 'file');
  fs.writeFileSync(path, '');
  flushed.bytes = [];
  let done = false;
  const write = async () => {
    // Longer where the disk is slow.
    for (let time = 0; time < 5 || (flushed.bytes.length < (flushed.fail ? 1 : 2) && time < 300); time += 1) {
      fs.appendFileSync(path, 'ten bytes.');
      await sleep(60);
    }
    done = true;
    return 'written';
  };
  return { path, write, isDone: () => done };
}

function failFlushes(): void {
  flushed.fail = true;
  onTestFinished(() => {
    flushed.fail = false;
  });
}

test('what is written to a file goes to the disk while more is being written', async () => {
  const { path, write } = await slowWriting();
  expect(await writingBehind(path, write())).toBe('written');
  expect(flushed.bytes.length).toBeGreaterThanOrEqual(2);
  expect(flushed.bytes[0]).toBeLessThan(Number(flushed.bytes.at(-1)));
});

test('a disk that does not take it makes the work fail, once nobody writes any more', async () => {
  const { path, write, isDone } = await slowWriting();
  failFlushes();
  await expect(writingBehind(path, write())).rejects.toMatchObject({ code: 'NO_SPACE' });
  expect(isDone()).toBe(true);
});

test('what the work fails with comes before what the disk fails with', async () => {
  const { path } = await slowWriting();
  failFlushes();
  const failing = sleep(150).then(() => Promise.reject(new Error('the work')));
  await expect(writingBehind(path, failing)).rejects.toThrow('the work');
});

test('a new file goes to the disk while it is written, and is not left where the disk does not take it', async () => {
  const { path, write } = await slowWriting();
  const name = join(dirname(path), 'new');
  const writeNew = () =>
    writeNewFile(name, async (output) => {
      await write();
      output.write(Buffer.from('new'));
    });
  await writeNew();
  expect(fs.readFileSync(name, 'utf8')).toBe('new');
  expect(flushed.bytes.length).toBeGreaterThanOrEqual(2);
  fs.rmSync(name);
  failFlushes();
  await expect(writeNew()).rejects.toMatchObject({ code: 'NO_SPACE' });
  expect(fs.readdirSync(dirname(path))).toEqual(['file']);
});

test('nobody asks the disk for a new file that need not be on it', async () => {
  const { path } = await slowWriting();
  await writeNewFile(join(dirname(path), 'new'), () => sleep(250), { sync: false });
  expect(flushed.bytes).toEqual([]);
});
