import { expect, test } from 'vitest';
import { pruneStorage } from '../../src/publish/prune-storage.js';
import { type Release, textObject } from '../../src/publish/release.js';
import { rollBack } from '../../src/publish/rollback.js';
import { MemoryStorage } from './support/memory-storage.js';
import { defaults, publishTo, releaseOf, visible } from './support/releases.js';

/** A release with so many roots, and an index that changes with them. */
function signedRelease(roots: number): Release {
  const root = (version: number) => {
    return textObject(`metadata/${version}.root.json`, `root ${version}`, 'application/json');
  };
  const { immutables, indexStages } = releaseOf(['a.img', `b${roots}.img`]);
  const timestamp = textObject('metadata/timestamp.json', `of root ${roots}`, 'application/json');
  return {
    immutables,
    lateImmutables: Array.from({ length: roots }, (_, index) => root(index + 1)),
    indexStages: [...indexStages, [timestamp]],
  };
}

/** A storage that remembers in which order objects were stored. */
class RecordingStorage extends MemoryStorage {
  readonly order: string[] = [];

  override async put(...args: Parameters<MemoryStorage['put']>) {
    this.order.push(args[0].path);
    return await super.put(...args);
  }
}

function isServed(path: string): boolean {
  return !path.startsWith('.update-repository/');
}

test('late immutables that are new are stored right before the last index, those that are there not again', async () => {
  const storage = new RecordingStorage();
  await publishTo(storage, signedRelease(1));
  storage.order.length = 0;
  await publishTo(storage, signedRelease(2));
  const served = storage.order.filter(isServed);
  expect(served).toContain('index.json');
  expect(served.slice(-2)).toEqual(['metadata/2.root.json', 'metadata/timestamp.json']);
  expect(served).not.toContain('metadata/1.root.json');
});

test('a late immutable that is gone is stored again, where no index changes', async () => {
  const storage = new RecordingStorage();
  await publishTo(storage, signedRelease(2));
  storage.objects.delete('metadata/1.root.json');
  const { summary } = await publishTo(storage, signedRelease(2));
  expect(summary).toMatchObject({ uploaded: 1, generation: 1 });
  expect(visible(storage)).toContain('metadata/1.root.json');
});

test('late immutables stay through rollbacks and prunes', async () => {
  const storage = new MemoryStorage();
  await publishTo(storage, signedRelease(1));
  await publishTo(storage, signedRelease(2));
  await rollBack(defaults(storage));
  expect(storage.objects.get('metadata/timestamp.json')?.bytes.toString()).toBe('of root 1');
  await publishTo(storage, signedRelease(3));
  await rollBack(defaults(storage));
  for (let again = 0; again < 2; again++) await pruneStorage({ ...defaults(storage), graceMs: 0 });
  expect(visible(storage)).toEqual(expect.arrayContaining([1, 2, 3].map((version) => `metadata/${version}.root.json`)));
});
