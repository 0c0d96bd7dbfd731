import type { RepositoryEvent } from '../../../src/events.js';
import { type PublishOptions, publish } from '../../../src/publish/publish.js';
import { type Release, textObject } from '../../../src/publish/release.js';
import type { Storage } from '../../../src/publish/storage.js';
import type { MemoryStorage } from './memory-storage.js';

/** A release of objects, each with the content that its name says, and indexes that name them all. */
export function releaseOf(names: readonly string[], metas: readonly string[] = ['meta/a.json']): Release {
  const list = JSON.stringify(names.map((name) => ({ name, content: `content of ${name}` })));
  const index = (path: string) => textObject(path, list, 'application/json');
  return {
    immutables: names.map((name) => textObject(name, `content of ${name}`, 'application/octet-stream')),
    indexStages: [metas.map(index), [index('CKSUMS')], [index('SHA256SUMS')], [index('index.json')]],
  };
}

export async function publishTo(storage: Storage, release: Release, options: Partial<PublishOptions> = {}) {
  const events: RepositoryEvent[] = [];
  const onEvent = (event: RepositoryEvent) => void events.push(event);
  const summary = await publish(release, { ...defaults(storage), onEvent, ...options });
  return { summary, events };
}

export function defaults(storage: Storage): PublishOptions {
  return {
    mirror: '/srv/mirror',
    storage,
    dryRun: false,
    transfers: 3,
    verifyFull: false,
    limit: null,
    signal: new AbortController().signal,
    onEvent: () => undefined,
  };
}

/** What a reader finds: of every index, that all it names is there and right. */
export function readAll(storage: MemoryStorage): string[] {
  const wrong: string[] = [];
  const indexes = [...storage.objects.values()].filter(
    ({ path }) => path.startsWith('meta/') || ['CKSUMS', 'SHA256SUMS', 'index.json'].includes(path),
  );
  for (const index of indexes) {
    const named: { name: string; content: string }[] = JSON.parse(index.bytes.toString());
    for (const { name, content } of named) {
      const found = storage.objects.get(name)?.bytes.toString();
      if (found !== content) wrong.push(`${index.path} names ${name}, found ${found}`);
    }
  }
  return wrong;
}

export function visible(storage: MemoryStorage): string[] {
  return [...storage.objects.keys()].filter((path) => !path.startsWith('.update-repository/')).sort();
}
