import { describe, expect, it } from 'vitest';
import {
  type Drafts,
  findMissingSignatures,
  parseDrafts,
  renderDrafts,
  signDrafts,
} from '../../../src/trust/tuf/drafts.js';
import { changeKey, firstDrafts, renewedDrafts } from '../../../src/trust/tuf/key-changes.js';
import { DEFAULT_LIFETIMES, expiresAt } from '../../../src/trust/tuf/lifetimes.js';
import { SigningKey } from '../../../src/trust/tuf/signing-key.js';
import { allKeys, assignmentsOf, onlineKeys, sampleKeys } from './support/sample-keys.js';
import { daysLater, NOW, SampleMirror } from './support/sample-mirror.js';
import { sampleContents, sampleSeries } from './support/sample-series.js';

const making = { lifetimes: DEFAULT_LIFETIMES, now: NOW };
const contents = sampleContents([sampleSeries('puavo-os', 2), sampleSeries('puavo-old', 1)]);

/** Drafts as they arrive on another machine. */
function carried(drafts: Drafts): Drafts {
  return parseDrafts(renderDrafts(drafts));
}

async function changed(mirror: SampleMirror, from: SigningKey, to: SigningKey | null, roles: string[] | null = null) {
  return changeKey(await mirror.current(), { from: from.id, to: to?.publicKey ?? null, roles }, making);
}

describe('firstDrafts', () => {
  it('makes a repository whose root keys are on three machines and which a fourth one publishes', async () => {
    const keys = sampleKeys();
    const drafts = firstDrafts(assignmentsOf(keys), contents, making);
    expect(findMissingSignatures(drafts, null)).toMatchObject([
      { role: 'root', missing: 2 },
      { role: 'targets', missing: 1, keyids: [keys.targets.id] },
    ]);
    const once = carried(signDrafts(carried(drafts), null, [keys.root[0]]));
    const mirror = new SampleMirror(keys);
    await expect(mirror.step({ contents, drafts: once, keys: onlineKeys(keys) })).rejects.toMatchObject({
      code: 'CONFIG',
      message:
        '1.root.json: expected 1 more of the signatures of ' +
        `${keys.root[1].id}, ${keys.root[2].id}, found none of them`,
    });
    const done = carried(signDrafts(once, null, [keys.root[2], keys.targets, SigningKey.generate('ed25519')]));
    expect(findMissingSignatures(done, null)).toEqual([]);
    await mirror.step({ contents, drafts: done, keys: onlineKeys(keys) });
    expect((await mirror.current()).root.signatures).toHaveLength(2);
  });

  it('have the same bytes however often they are signed, by ECDSA too: a root is known by its text', () => {
    const keys = sampleKeys();
    const all = allKeys(keys);
    const drafts = signDrafts(firstDrafts(assignmentsOf(keys), contents, making), null, all);
    expect(renderDrafts(signDrafts(drafts, null, all.toReversed()))).toEqual(renderDrafts(drafts));
    const [first, ...others] = drafts.root?.signatures ?? [];
    const spoiled = {
      ...drafts,
      root: { ...drafts.root!, signatures: [{ ...first!, sig: others[0]!.sig }, ...others] },
    };
    expect(findMissingSignatures(signDrafts(spoiled, null, []), null)).toEqual([]);
    expect(signDrafts(spoiled, null, all).root?.signatures).toHaveLength(3);
  });

  it('refuses a threshold that the keys cannot meet', () => {
    const keys = sampleKeys();
    const one = keys.root[0].publicKey;
    for (const root of [
      { keys: [one], threshold: 2 },
      { keys: [one, one], threshold: 2 },
      { keys: [], threshold: 0 },
    ]) {
      expect(() => firstDrafts({ ...assignmentsOf(keys), root }, contents, making)).toThrow(
        /role root: expected at least/,
      );
    }
  });
});

describe('changeKey', () => {
  it('makes no version that clients would refuse', async () => {
    const mirror = await SampleMirror.make(contents);
    const repository = await mirror.current();
    const last = { version: 2 ** 31 - 1 };
    const root = { ...repository.root, signed: { ...repository.root.signed, ...last } };
    const targets = { ...repository.targets, signed: { ...repository.targets.signed, ...last } };
    const change = { to: SigningKey.generate('ed25519').publicKey, roles: null };
    for (const [part, from] of [
      [{ root }, mirror.keys.timestamp],
      [{ targets }, mirror.keys.online],
    ] as const) {
      expect(() => changeKey({ ...repository, ...part }, { ...change, from: from.id }, making)).toThrow(
        expect.objectContaining({ code: 'CONFIG', message: expect.stringContaining('the last that clients take') }),
      );
    }
  });

  it.each(['snapshot', 'timestamp', 'targets'] as const)(
    'has all signed anew that the key of %s signed',
    async (role) => {
      const mirror = await SampleMirror.make(contents);
      const successor = SigningKey.generate('ed25519');
      const drafts = await changed(mirror, mirror.keys[role], successor);
      expect([drafts.root?.signed.version, drafts.targets?.signed.version]).toEqual([
        2,
        role === 'targets' ? 2 : undefined,
      ]);
      await mirror.step({
        drafts,
        keys: [...allKeys(mirror.keys).filter((key) => key !== mirror.keys[role]), successor],
      });
      const repository = await mirror.current();
      expect(repository[role].signatures.map(({ keyid }) => keyid)).toEqual([successor.id]);
      expect(Object.keys(repository.root.signed.keys)).not.toContain(mirror.keys[role].id);
    },
  );

  it('has a new root signed by the keys before and after', async () => {
    const mirror = await SampleMirror.make(contents);
    const [first, second, third] = mirror.keys.root;
    const successor = SigningKey.generate('ecdsa');
    const drafts = await changed(mirror, first, successor);
    const repository = await mirror.current();
    const missingAfter = (...keys: SigningKey[]) =>
      findMissingSignatures(signDrafts(drafts, repository, keys), repository);
    expect(missingAfter(second, third)).toEqual([]);
    expect(missingAfter(first, successor)).toMatchObject([{ missing: 1 }, { missing: 1 }]);
    expect(missingAfter(first, second)).toMatchObject([{ missing: 1, keyids: [successor.id, third.id] }]);
    expect(missingAfter(successor, third)).toMatchObject([{ missing: 1, keyids: [first.id, second.id] }]);
    expect(missingAfter(first, second, successor)).toEqual([]);
  });

  it('gives one series a key of its own, and the others keep theirs', async () => {
    const mirror = await SampleMirror.make(contents);
    const own = SigningKey.generate('ed25519');
    const drafts = await changed(mirror, mirror.keys.online, own, ['puavo-os-amd64']);
    expect(drafts.root).toBeNull();
    await mirror.step({ drafts, keys: [...allKeys(mirror.keys), own] });
    const { roles, targets } = await mirror.current();
    const signer = (role: string) => roles.get(role)?.signatures.map(({ keyid }) => keyid);
    expect(signer('puavo-os-amd64')).toEqual([own.id]);
    expect(signer('puavo-old-amd64')).toEqual([mirror.keys.online.id]);
    expect(Object.keys(targets.signed.delegations?.keys ?? {}).sort()).toEqual([own.id, mirror.keys.online.id].sort());
  });

  it('gives the parts of a large series the new key as well', async () => {
    const large = sampleContents([sampleSeries('puavo-os', 350)]);
    const mirror = await SampleMirror.make(large);
    const successor = SigningKey.generate('ed25519');
    const drafts = await changed(mirror, mirror.keys.online, successor);
    const keys = [...allKeys(mirror.keys).filter((key) => key !== mirror.keys.online), successor];
    await mirror.step({ drafts, keys });
    const { roles } = await mirror.current();
    expect(roles.size).toBe(2 + 16);
    for (const [name, { signatures, signed }] of roles) {
      expect(
        signatures.map(({ keyid }) => keyid),
        name,
      ).toEqual([successor.id]);
      expect(signed.version).toBe(2);
    }
    expect(await mirror.step({ contents: large, keys: [] })).toBeNull();
  });

  it('revokes a key where the others suffice, and refuses where they do not', async () => {
    const mirror = await SampleMirror.make(contents);
    const [first, second, third] = mirror.keys.root;
    await mirror.step({ drafts: await changed(mirror, first, null), keys: [second, third] });
    expect((await mirror.current()).root.signed.roles.root).toEqual({ keyids: [second.id, third.id], threshold: 2 });
    await expect(changed(mirror, second, null)).rejects.toMatchObject({
      code: 'CONFIG',
      message: 'role root: expected at least as many different keys as have to sign, found 1 for a threshold of 2',
    });
  });

  it('refuses a key that signs for nothing, and a successor that signs already', async () => {
    const mirror = await SampleMirror.make(contents);
    const { root, online, timestamp } = mirror.keys;
    await expect(changed(mirror, SigningKey.generate('ed25519'), null)).rejects.toThrow(/signs for none/);
    await expect(changed(mirror, timestamp, root[0], ['snapshot'])).rejects.toThrow(/a key of role snapshot/);
    await expect(changed(mirror, root[0], root[1])).rejects.toThrow(/role root: expected a new key, found/);
    await expect(changed(mirror, online, null)).rejects.toThrow(/found 0 for a threshold of 1/);
  });

  it('is refused when the repository went on meanwhile', async () => {
    const mirror = await SampleMirror.make(contents);
    const stale = await changed(mirror, mirror.keys.snapshot, SigningKey.generate('ed25519'));
    const successor = SigningKey.generate('ed25519');
    const drafts = await changed(mirror, mirror.keys.timestamp, successor);
    await mirror.step({ drafts, keys: [...allKeys(mirror.keys), successor] });
    await expect(mirror.step({ drafts: stale })).rejects.toMatchObject({
      code: 'VERIFICATION',
      message: 'metadata/2.root.json: expected version 3, found version 2',
    });
  });
});

describe('renewedDrafts', () => {
  it('keep all but the version and the time, and are signed where the keys of root and of targets are', async () => {
    const mirror = await SampleMirror.make(contents);
    const before = await mirror.current();
    const { root, targets } = mirror.keys;
    const now = daysLater(330);
    const drafts = carried(renewedDrafts(before, { lifetimes: DEFAULT_LIFETIMES, now }));
    expect(findMissingSignatures(drafts, before).map(({ role, missing }) => [role, missing])).toEqual([
      ['root', 2],
      ['root', 2],
      ['targets', 1],
    ]);
    const once = carried(signDrafts(drafts, before, [root[0], targets]));
    const twice = signDrafts(once, before, [root[2]]);
    await mirror.step({ drafts: twice, keys: onlineKeys(mirror.keys), now });
    const after = await mirror.current();
    for (const role of ['root', 'targets'] as const) {
      const { version, expires, ...same } = after[role].signed;
      expect([version, expires]).toEqual([2, expiresAt(now, DEFAULT_LIFETIMES[role])]);
      expect(before[role].signed).toMatchObject(same);
    }
  });
});

describe('parseDrafts', () => {
  it('refuses a file of another name or version', async () => {
    const drafts = firstDrafts(assignmentsOf(sampleKeys()), contents, making);
    const root = renderDrafts(drafts).get('1.root.json') ?? '';
    expect(() => parseDrafts(new Map([['timestamp.json', root]]))).toThrow(/timestamp.json: expected a draft/);
    expect(() => parseDrafts(new Map([['2.root.json', root]]))).toThrow(/expected the name 1.root.json/);
    expect(() => parseDrafts(new Map([['1.targets.json', root]]))).toThrow(/_type: expected "targets"/);
    const two = new Map([
      ['1.root.json', root],
      ['x.root.json', root],
    ]);
    expect(() => parseDrafts(two)).toThrow(/x.root.json: expected one draft of root/);
  });
});
