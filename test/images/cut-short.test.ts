import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { KeyRing, rotateKey, setChannel } from 'update-repository';
import { describe, expect, it } from 'vitest';
import { revokeKey, signDraftDirectory } from '../../src/images/mirror-keys.js';
import { releaseOfMirror } from '../../src/images/mirror-release.js';
import { writeDrafts } from '../../src/trust/tuf/draft-directory.js';
import { eventsOf } from './support/events.js';
import { cutShort, metadataOf, PASSPHRASE, refresh, signedWorkshop } from './support/signed-workshop.js';
import { build, prune, verify, type Workshop } from './support/workshop.js';

const COMPLETES = 'complete it by `refresh` or `build --sign KEYS`';
const onEvent = () => undefined;

/** What verify finds. */
async function found(workshop: Workshop): Promise<string[]> {
  return eventsOf(await verify(workshop), 'problem').map(({ level, message }) => `${level} ${message}`);
}

describe('a signing that was cut short', () => {
  it('between a new root and its timestamp is named by who cannot go on, with what completes it', async () => {
    const workshop = await signedWorkshop();
    const { mirrorDir, keys } = workshop;
    await cutShort(workshop, 'timestamp.json');
    const damage = 'metadata/timestamp.json: expected good signatures of 1 of the 1 keys of timestamp, found none';
    const error = { code: 'VERIFICATION', message: `${damage}: a signing was cut short`, hint: COMPLETES };
    await expect(releaseOfMirror(mirrorDir)).rejects.toMatchObject(error);
    await expect(prune(workshop)).rejects.toMatchObject(error);
    expect(await found(workshop)).toEqual([`error ${damage}`, `warning a signing was cut short: ${COMPLETES}`]);
    await refresh(mirrorDir, await KeyRing.open(keys, PASSPHRASE));
    expect(await found(workshop)).toEqual([]);
    await releaseOfMirror(mirrorDir);
  });

  it('before a new root, seen by nobody yet, is told by verify, and completed by a build', async () => {
    const workshop = await signedWorkshop();
    await cutShort(workshop, '2.root.json');
    expect(await found(workshop)).toEqual([`warning a signing was cut short: ${COMPLETES}`]);
    await releaseOfMirror(workshop.mirrorDir);
    await build(workshop, { sign: await KeyRing.open(workshop.keys, PASSPHRASE) });
    expect(await found(workshop)).toEqual([]);
    expect(await metadataOf(workshop.mirrorDir)).toMatchObject({ root: { signed: { version: 2 } } });
  });

  it.each(['timestamp.json', '2.root.json'] as const)(
    'before its %s lets nobody change keys or channels, which would follow another root',
    async (missing) => {
      const workshop = await signedWorkshop();
      const { mirrorDir, folder } = workshop;
      const drafts = join(folder, 'drafts');
      mkdirSync(drafts);
      await writeDrafts(drafts, workshop.ring.first, null);
      await cutShort(workshop, missing);
      const ring = await KeyRing.open(workshop.keys, PASSPHRASE);
      const keys = { mirrorDir, ring, onEvent };
      const id = ring.signing[0]!;
      for (const work of [
        () => rotateKey(keys, { role: 'snapshot', keyid: null }, null),
        () => revokeKey(keys, id, null),
        () => signDraftDirectory(drafts, ring, mirrorDir, onEvent),
        () => setChannel({ ...keys, name: 'stable', version: '20240101060000', breakLock: false }),
      ]) {
        await expect(work()).rejects.toMatchObject({
          code: 'CONFIG',
          message: `${mirrorDir}: expected complete metadata, found that a signing was cut short`,
          hint: COMPLETES,
        });
      }
    },
  );
});
