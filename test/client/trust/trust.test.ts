import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Device } from '../../../src/client/device/device.js';
import { PrivateDirectory } from '../../../src/client/device/private-directory.js';
import type { Mirrors, ParseText } from '../../../src/client/download/mirrors.js';
import type { WantedText } from '../../../src/client/download/text-request.js';
import { readTrust, stateOfRoot, writeTrust } from '../../../src/client/trust/state.js';
import { Trust } from '../../../src/client/trust/trust.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { SignedMirror } from '../support/signed-mirror.js';
import { builtForSuite, filesOf } from '../support/updates.js';

const built = builtForSuite(1, 'none');

/** What a device trusts that was given the first root of a mirror, with neither of them doing anything else. */
async function trustIn(mirror: SignedMirror) {
  const place = new PrivateDirectory(await temporaryDirectory());
  await place.prepare();
  const { signal } = new AbortController();
  const device = { place, signal, isHeld: true, onEvent: () => undefined, assertMayGoOn: async () => undefined };
  const textIfThere = async <T>({ path }: WantedText, parse: ParseText<T>) => {
    const bytes = mirror.files.get(path);
    return bytes === undefined ? null : parse(bytes.toString(), path);
  };
  const mirrors = { name: 'mirror', textIfThere, text: textIfThere };
  const state = stateOfRoot(mirror.files.get('metadata/1.root.json')?.toString() ?? '');
  const trust = new Trust(device as unknown as Device, mirrors as unknown as Mirrors, state, { isKept: false });
  const rememberedRoles = () => Object.keys(JSON.parse(readFileSync(place.trustPath, 'utf8')).roles).sort();
  return { trust, rememberedRoles };
}

describe('what a device trusts', () => {
  it('is remembered again when a role was verified since', async () => {
    const mirror = await SignedMirror.make(filesOf(built()), 1);
    const { trust, rememberedRoles } = await trustIn(mirror);
    await trust.texts();
    await trust.keep();
    expect(rememberedRoles()).toEqual(['targets']);
    const { series, images } = mirror.meta(1);
    await trust.checkRoute(images[0]!, []);
    await trust.keep();
    expect(rememberedRoles()).toEqual([series, 'targets']);
  });

  it('is not remembered where it could not be read again', async () => {
    const place = new PrivateDirectory(await temporaryDirectory());
    await place.prepare();
    const state = stateOfRoot('a root');
    await writeTrust(place, state);
    const roles = new Map(Array.from({ length: 14 }, (_, n) => [`role ${n}`, 'x'.repeat(5_000_000)]));
    await expect(writeTrust(place, { ...state, roles })).rejects.toMatchObject({
      code: 'FORMAT',
      message: expect.stringMatching(
        /trust\.json: expected at most 67108864 bytes of metadata to remember, found 70000\d{3}$/,
      ),
    });
    expect(await readTrust(place)).toEqual(state);
  });

  it('checks no way before there is metadata to check it by', async () => {
    const mirror = await SignedMirror.make(filesOf(built()), 1);
    const { trust } = await trustIn(mirror);
    await expect(trust.checkRoute(mirror.meta(1).images[0]!, [])).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});
