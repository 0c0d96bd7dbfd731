import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NO_DRAFTS } from '../../../src/trust/tuf/drafts.js';
import { changeKey } from '../../../src/trust/tuf/key-changes.js';
import { DEFAULT_LIFETIMES } from '../../../src/trust/tuf/lifetimes.js';
import { finishWriting, readFrom, writeRepository } from '../../../src/trust/tuf/metadata-directory.js';
import { type NextRepository, nextRepository } from '../../../src/trust/tuf/next-repository.js';
import { type Repository, readRepository } from '../../../src/trust/tuf/repository.js';
import { SigningKey } from '../../../src/trust/tuf/signing-key.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { allKeys, assignmentsOf } from './support/sample-keys.js';
import { NOW, SampleMirror } from './support/sample-mirror.js';
import { sampleContents, sampleSeries } from './support/sample-series.js';

const os = (count: number) => sampleContents([sampleSeries('puavo-os', count)]);

/** A mirror on the disk as `mirror` is in memory. */
async function onDisk(mirror: SampleMirror) {
  const folder = await temporaryDirectory();
  const place = { mirrorDir: join(folder, 'mirror'), privateDir: join(folder, 'private') };
  const stages = [[...mirror.files].map(([path, bytes]) => ({ path, text: bytes.toString() }))];
  await writeRepository({ repository: await mirror.current(), stages }, place);
  return place;
}

/** A step in which every key but that of root is replaced, and an image is added. */
async function largeStep(mirror: SampleMirror): Promise<NextRepository> {
  const current = await mirror.current();
  const successor = SigningKey.generate('ed25519');
  const change = { from: mirror.keys.timestamp.id, to: successor.publicKey, roles: null };
  const drafts = changeKey(current, change, { lifetimes: DEFAULT_LIFETIMES, now: NOW });
  return next(mirror, current, { drafts }, [successor]);
}

function next(mirror: SampleMirror, current: Repository, more: object, keys: SigningKey[] = []): NextRepository {
  const change = { contents: os(2), drafts: NO_DRAFTS, online: assignmentsOf(mirror.keys), ...more };
  const signing = { keys: [...allKeys(mirror.keys), ...keys], lifetimes: DEFAULT_LIFETIMES, now: NOW };
  const made = nextRepository(current, change, signing);
  if (made === null) throw new Error('nothing to write');
  return made;
}

/** Puts a directory in the way of the file number `at` of a step, so that writing ends there. */
function obstruct(mirrorDir: string, step: NextRepository, at: number): string | null {
  const path = step.stages.flat()[at]?.path;
  if (path === undefined || existsSync(join(mirrorDir, path))) return null;
  mkdirSync(join(mirrorDir, path, 'obstacle'), { recursive: true });
  return join(mirrorDir, path);
}

describe('writeRepository', () => {
  it('writes what is read again', async () => {
    const mirror = await SampleMirror.make(os(1));
    const place = await onDisk(mirror);
    expect(await readRepository(readFrom(place.mirrorDir), mirror.text('metadata/1.root.json'))).toEqual(
      await mirror.current(),
    );
    expect(readdirSync(place.privateDir)).toEqual([]);
  });

  it('leaves the old state whole when it ends at any file before the timestamp', async () => {
    const mirror = await SampleMirror.make(os(1));
    const step = next(mirror, await mirror.current(), {});
    for (const at of step.stages.flat().keys()) {
      const place = await onDisk(mirror);
      const obstacle = obstruct(place.mirrorDir, step, at);
      if (obstacle === null) continue;
      await expect(writeRepository(step, place)).rejects.toMatchObject({ code: 'IO' });
      await finishWriting(place);
      const read = await readRepository(readFrom(place.mirrorDir), null);
      expect(read?.timestamp.signed.version).toBe(1);
      rmSync(obstacle, { recursive: true });
      await writeRepository(step, place);
      expect(await readRepository(readFrom(place.mirrorDir), null)).toEqual(step.repository);
    }
  });

  it('completes a new root and what it needs after it ended at any file', async () => {
    const mirror = await SampleMirror.make(os(1));
    const step = await largeStep(mirror);
    for (const at of step.stages.flat().keys()) {
      const place = await onDisk(mirror);
      const obstacle = obstruct(place.mirrorDir, step, at);
      if (obstacle === null) continue;
      await expect(writeRepository(step, place)).rejects.toMatchObject({ code: 'IO' });
      rmSync(obstacle, { recursive: true });
      await finishWriting(place);
      expect(await readRepository(readFrom(place.mirrorDir), null)).toEqual(step.repository);
      expect(readdirSync(place.privateDir)).toEqual([]);
    }
  });

  it('writes nothing outside the metadata, whatever the note of an unfinished state says', async () => {
    const place = await onDisk(await SampleMirror.make(os(1)));
    for (const path of ['index.json', 'metadata/../index.json', '/etc/x', 'metadata/']) {
      writeFileSync(
        join(place.privateDir, 'unfinished-metadata.json'),
        JSON.stringify({ files: [{ path, text: '' }] }),
      );
      await expect(finishWriting(place)).rejects.toMatchObject({ code: 'FORMAT' });
    }
  });
});
