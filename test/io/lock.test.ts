import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, statfs, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { acquireLock } from '../../src/io/lock.js';
import { ownIdentity } from '../../src/io/process-identity.js';
import { readInstants } from '../support/kill-instants.js';
import { mountSmallDisk } from '../support/small-disk.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { killNodeAt, tracedNode } from '../support/traced-cli.js';

const polite = { breakLock: false };
/** How a script of another process begins. */
const IMPORT_LOCK = `import { acquireLock } from ${JSON.stringify(new URL('../../dist/io/lock.js', import.meta.url).href)};`;

async function lockPath(): Promise<string> {
  return join(await temporaryDirectory(), 'lock');
}

async function writeHolder(path: string, changes: object): Promise<void> {
  await writeFile(
    path,
    JSON.stringify({ ...ownIdentity(), since: '2024-01-01T00:00:00.000Z', token: 'other', ...changes }),
  );
}

async function deadPid(): Promise<number> {
  const child = spawn('true');
  await once(child, 'exit');
  return child.pid ?? 0;
}

it('is held by one at a time, and says by whom', async () => {
  const path = await lockPath();
  const lock = await acquireLock(path, polite);
  await expect(acquireLock(path, polite)).rejects.toMatchObject({
    code: 'LOCKED',
    message: expect.stringContaining(`process ${process.pid} on `),
    hint: expect.stringContaining('--break-lock'),
  });
  await lock.release();
  await (await acquireLock(path, polite)).release();
});

it('is held by one at a time within a process too', async () => {
  const path = await lockPath();
  const attempts = await Promise.allSettled([acquireLock(path, polite), acquireLock(path, polite)]);
  const [won] = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
  expect(attempts.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  await won?.release();
  await (await acquireLock(path, polite)).release();
});

it('tells a holder from whom it was taken', async () => {
  const path = await lockPath();
  const old = await acquireLock(path, polite);
  await old.assertHeld();
  const lock = await acquireLock(path, { breakLock: true });
  await expect(old.assertHeld()).rejects.toMatchObject({ code: 'LOCKED', message: expect.stringContaining(path) });
  await old.release();
  await lock.assertHeld();
  await lock.release();
});

it('clears away the claims of processes that were killed while they made them', async () => {
  const path = await lockPath();
  const longAgo = new Date(Date.now() - 3_600_000);
  for (const name of [`${path}.0123`, `${path}.takeover`]) {
    await writeFile(name, '{}');
    await utimes(name, longAgo, longAgo);
  }
  await (await acquireLock(path, polite)).release();
  expect(await readdir(join(path, '..'))).toEqual([]);
});

it('is taken over although a process died while it took it over', async () => {
  const path = await lockPath();
  await writeHolder(path, { pid: await deadPid() });
  await writeHolder(`${path}.takeover`, { pid: await deadPid() });
  await (await acquireLock(path, polite)).release();
  expect(await readdir(join(path, '..'))).toEqual([]);
});

it.skipIf(!haveTools('strace'))('is taken over wherever a process was killed that took it over', async () => {
  const path = await lockPath();
  const log = `${path}-calls`;
  const dead = await deadPid();
  const files = ['-P', path, '-P', `${path}.takeover`];
  const source = `
    ${IMPORT_LOCK}
    await acquireLock(${JSON.stringify(path)}, { breakLock: false });`;
  const node = ['--input-type=module', '-e', source];
  await writeHolder(path, { pid: dead });
  expect(await tracedNode(['-o', log, ...files], node)).toMatchObject({ code: 0, stderr: '' });
  const instants = readInstants(await readFile(log, 'utf8'));
  expect(instants.length).toBeGreaterThan(4);
  for (const instant of instants) {
    await writeHolder(path, { pid: dead });
    await killNodeAt(instant, files, node);
    await (await acquireLock(path, polite)).release();
  }
});

it.skipIf(!haveTools('strace'))('is held by one, and taken over, on a file system without hard links', async () => {
  const path = await lockPath();
  await writeHolder(path, { pid: await deadPid() });
  const source = `
    ${IMPORT_LOCK}
    const take = () => acquireLock(${JSON.stringify(path)}, { breakLock: false });
    for (let time = 0; time < 2; time += 1) {
      const lock = await take();
      await lock.assertHeld();
      if (await take().then(() => true, (error) => error.code !== 'LOCKED')) process.exit(9);
      await lock.release();
    }`;
  const trace = ['-o', `${path}-calls`, '-e', 'trace=link', '-e', 'inject=link:error=EPERM'];
  const ended = await tracedNode(trace, ['--input-type=module', '-e', source]);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  // Twice for the dead holder's lock and the turn to take it over, once for the free one, once each for who comes too late.
  expect((await readFile(`${path}-calls`, 'utf8')).match(/INJECTED/g)).toHaveLength(5);
  expect(await readdir(join(path, '..'))).toEqual(['lock-calls']);
});

it('leaves no file behind', async () => {
  const path = await lockPath();
  const lock = await acquireLock(path, polite);
  await lock.release();
  expect(await readdir(join(path, '..'))).toEqual([]);
});

it('is taken over from a process that is dead', async () => {
  const path = await lockPath();
  await writeHolder(path, { pid: await deadPid() });
  await (await acquireLock(path, polite)).release();
});

it('is taken over when the pid now belongs to another process', async () => {
  const path = await lockPath();
  await writeHolder(path, { startTicks: '1' });
  await (await acquireLock(path, polite)).release();
});

it('is taken over when the machine has booted since', async () => {
  const path = await lockPath();
  await writeHolder(path, { bootId: 'another' });
  await (await acquireLock(path, polite)).release();
});

it.each([{ host: 'elsewhere' }, { pidNamespace: 'pid:[1]' }])('is respected while %o may be alive', async (changes) => {
  const path = await lockPath();
  await writeHolder(path, { ...changes, pid: 1 });
  await expect(acquireLock(path, polite)).rejects.toMatchObject({ code: 'LOCKED' });
  const longAgo = new Date(Date.now() - 3_600_000);
  await utimes(path, longAgo, longAgo);
  await (await acquireLock(path, polite)).release();
});

it('is respected when it cannot be read, until it has been silent for long', async () => {
  const path = await lockPath();
  await writeFile(path, '{"host":');
  await expect(acquireLock(path, polite)).rejects.toMatchObject({ code: 'LOCKED' });
  const longAgo = new Date(Date.now() - 3_600_000);
  await utimes(path, longAgo, longAgo);
  await (await acquireLock(path, polite)).release();
});

it('is broken on demand, and its old holder then leaves the new one alone', async () => {
  const path = await lockPath();
  const old = await acquireLock(path, polite);
  // The same process would write the same words; another start makes it another holder.
  await writeHolder(path, { since: 'earlier' });
  const lock = await acquireLock(path, { breakLock: true });
  await old.release();
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ pid: process.pid });
  await lock.release();
});

it('has one winner when many find the same dead holder at once', async () => {
  const path = await lockPath();
  const source = `
    ${IMPORT_LOCK}
    try { await acquireLock(${JSON.stringify(path)}, { breakLock: false }); console.log('won'); setTimeout(() => {}, 60_000); }
    catch (error) { console.log(error.code === 'LOCKED' ? 'LOCKED' : String(error.stack)); }`;
  for (let round = 0; round < 3; round++) {
    await writeHolder(path, { pid: await deadPid() });
    const contenders = Array.from({ length: 6 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'inherit'] }),
    );
    const answers = await Promise.all(
      contenders.map(async (child) => String((await once(child.stdout, 'data'))[0]).trim()),
    );
    for (const child of contenders) child.kill('SIGKILL');
    expect(answers.sort()).toEqual([...Array.from({ length: 5 }, () => 'LOCKED'), 'won']);
  }
});

it('leaves no file behind on a full disk, open or not', async (context) => {
  const disk = mountSmallDisk(context, await lockPath(), 65_536);
  const { bavail, bsize } = await statfs(disk.path);
  await writeFile(join(disk.path, 'ballast'), Buffer.alloc(bavail * bsize));
  await expect(acquireLock(join(disk.path, 'lock'), polite)).rejects.toMatchObject({ code: 'NO_SPACE' });
  // The disk cannot be unmounted at the end while one of its files is open.
  expect(await readdir(disk.path)).toEqual(['ballast']);
});
