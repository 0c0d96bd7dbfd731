import { describe, expect, it } from 'vitest';
import { metadataPath } from '../../../src/trust/tuf/documents.js';
import { changeKey } from '../../../src/trust/tuf/key-changes.js';
import { DEFAULT_LIFETIMES } from '../../../src/trust/tuf/lifetimes.js';
import { SigningKey } from '../../../src/trust/tuf/signing-key.js';
import { allKeys, onlineKeys } from './support/sample-keys.js';
import { NOW, SampleMirror } from './support/sample-mirror.js';
import { sampleContents, sampleSeries } from './support/sample-series.js';

const making = { lifetimes: DEFAULT_LIFETIMES, now: NOW };
const os = (count: number) => sampleContents([sampleSeries('puavo-os', count)]);
const every = ['1.root', '1.targets', '1.snapshot', 'timestamp', '1.puavo-os-amd64', '1.mirror'];

/** Two roots, the second with another timestamp key. */
async function rotated(): Promise<SampleMirror> {
  const mirror = await SampleMirror.make(os(1));
  const successor = SigningKey.generate('ed25519');
  const change = { from: mirror.keys.timestamp.id, to: successor.publicKey, roles: null };
  const drafts = changeKey(await mirror.current(), change, making);
  await mirror.step({ drafts, keys: [...allKeys(mirror.keys), successor] });
  return mirror;
}

describe('readRepository', () => {
  it('finds nothing in a mirror without metadata', async () => {
    const { keys } = await SampleMirror.make(os(1));
    expect(await new SampleMirror(keys).repository()).toBeNull();
  });

  it.each(every)('refuses %s.json when any byte of what is signed is another', async (name) => {
    const mirror = await SampleMirror.make(os(1));
    const path = `metadata/${name}.json`;
    const bytes = mirror.files.get(path) ?? Buffer.of();
    for (let at = bytes.indexOf('"signed"'); at < bytes.length; at += 7) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      mirror.files.set(path, flipped);
      await expect(mirror.repository(), `byte ${at}`).rejects.toMatchObject({
        code: expect.stringMatching(/^(?:VERIFICATION|FORMAT)$/),
        message: expect.stringContaining(`${path}:`),
      });
    }
  });

  it.each(every)('refuses a repository without %s.json', async (name) => {
    const mirror = await SampleMirror.make(os(1));
    mirror.files.delete(`metadata/${name}.json`);
    await expect(mirror.repository()).rejects.toMatchObject({ code: 'VERIFICATION' });
  });

  it('refuses well-signed metadata of another time than the snapshot says', async () => {
    const mirror = await SampleMirror.make(os(1));
    const old = mirror.files.get('metadata/1.puavo-os-amd64.json') ?? Buffer.of();
    await mirror.step({ contents: os(2) });
    mirror.files.set('metadata/2.puavo-os-amd64.json', old);
    await expect(mirror.repository()).rejects.toThrow(/metadata\/2.puavo-os-amd64.json: expected \d+ bytes, found/);
  });

  it('refuses metadata that other keys signed', async () => {
    const [mirror, forged] = [await SampleMirror.make(os(1)), await SampleMirror.make(os(1))];
    mirror.files.set('metadata/timestamp.json', forged.files.get('metadata/timestamp.json') ?? Buffer.of());
    await expect(mirror.repository()).rejects.toMatchObject({
      code: 'VERIFICATION',
      message: 'metadata/timestamp.json: expected good signatures of 1 of the 1 keys of timestamp, found none',
    });
  });

  it('refuses a root that too few of its keys signed', async () => {
    const mirror = await SampleMirror.make(os(1));
    const root = JSON.parse(mirror.text('metadata/1.root.json') ?? '');
    root.signatures.length = 1;
    mirror.files.set('metadata/1.root.json', Buffer.from(JSON.stringify(root)));
    await expect(mirror.repository()).rejects.toThrow(/1.root.json: .* 2 of the 3 keys of root, found 1/);
  });

  it('refuses a repository from which the newest root was taken, where the caller knows it', async () => {
    const before = await SampleMirror.make(os(1));
    const mirror = await rotated();
    const trusted = mirror.text('metadata/2.root.json');
    expect((await mirror.repository(trusted))?.root.signed.version).toBe(2);
    mirror.files.delete('metadata/2.root.json');
    await expect(mirror.repository(trusted)).rejects.toThrow(
      /2.root.json: expected the root that is trusted, found no/,
    );
    await expect(before.repository(mirror.text('metadata/1.root.json'))).rejects.toThrow(/found another one/);
    mirror.files.clear();
    await expect(mirror.repository(trusted)).rejects.toMatchObject({ code: 'VERIFICATION' });
  });

  it('refuses a root that the one before it does not vouch for', async () => {
    const [mirror, forged] = [await rotated(), await rotated()];
    mirror.files.set('metadata/2.root.json', forged.files.get('metadata/2.root.json') ?? Buffer.of());
    await expect(mirror.repository()).rejects.toThrow(/metadata\/2.root.json: .* keys of root, found none/);
  });

  it('refuses what the key that was rotated out signed', async () => {
    const mirror = await SampleMirror.make(os(1));
    const old = mirror.files.get('metadata/timestamp.json') ?? Buffer.of();
    const successor = SigningKey.generate('ed25519');
    const change = { from: mirror.keys.timestamp.id, to: successor.publicKey, roles: null };
    const drafts = changeKey(await mirror.current(), change, making);
    await mirror.step({ drafts, keys: [...allKeys(mirror.keys), successor] });
    mirror.files.set('metadata/timestamp.json', old);
    await expect(mirror.repository()).rejects.toThrow(/timestamp.json: expected good signatures/);
  });

  it('refuses a member that it does not know', async () => {
    const mirror = await SampleMirror.make(os(1));
    for (const name of every) {
      const path = `metadata/${name}.json`;
      const original = mirror.files.get(path) ?? Buffer.of();
      mirror.files.set(path, Buffer.from(original.toString().replace('"version":1,', '"version":1,"more":1,')));
      await expect(mirror.repository(), name).rejects.toMatchObject({ message: expect.stringContaining(path) });
      mirror.files.set(path, original);
    }
  });

  it('refuses a series that delegates to anything but its own parts', async () => {
    const contents = sampleContents([sampleSeries('puavo-os', 1), sampleSeries('puavo-old', 1)]);
    for (const name of ['puavo-old-amd64', 'puavo-old-amd64.bin-0', 'mirror', 'new']) {
      const mirror = await SampleMirror.make(contents);
      const { keys = {}, roles: [role] = [] } = (await mirror.current()).targets.signed.delegations ?? {};
      const delegations = { keys, roles: [{ ...role!, name }] };
      await mirror.forge('puavo-os-amd64', (signed) => ({ ...signed, delegations }));
      await expect(mirror.repository(), name).rejects.toThrow(
        `metadata/2.puavo-os-amd64.json: expected delegations to parts of puavo-os-amd64 alone, found one to ${name}`,
      );
    }
  });

  it('ignores metadata that a killed build left beside what is named, and writes over it', async () => {
    const mirror = await SampleMirror.make(os(1));
    mirror.files.set(metadataPath('puavo-os-amd64', 2), Buffer.from('{"half":'));
    await mirror.step({ contents: os(2), keys: onlineKeys(mirror.keys) });
    expect((await mirror.current()).roles.get('puavo-os-amd64')?.signed.version).toBe(2);
  });
});
