import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { KeyRing } from '../trust/tuf/key-ring.js';
import { type ChosenLifetimes, type Lifetimes, lifetimesOf } from '../trust/tuf/lifetimes.js';
import type { MirrorSettings } from './records.js';
import { MirrorState } from './state.js';

/** How a mirror is to be signed from now on. */
export interface SigningWish {
  /** The keys; undefined leaves what the mirror remembers of them, null forgets it. */
  readonly sign?: KeyRing | null | undefined;
  /** How long metadata is to be good; a role that is not in it has what the mirror remembers. */
  readonly lifetimes?: ChosenLifetimes | undefined;
}

/** What a mirror is to remember of how it is signed. */
export function signingSettings(
  { sign, lifetimes }: SigningWish,
  before: MirrorSettings,
): Pick<MirrorSettings, 'keysDir' | 'lifetimes'> {
  const named = sign === null ? null : sign && resolve(sign.directory);
  return {
    keysDir: named === undefined ? before.keysDir : named,
    lifetimes: { ...before.lifetimes, ...lifetimes },
  };
}

/** For the holder of the lock. */
export async function rememberSigning(state: MirrorState, wish: SigningWish): Promise<void> {
  const before = await state.readSettings();
  const settings = { ...before, ...signingSettings(wish, before) };
  if (!isDeepStrictEqual(settings, before)) await state.writeSettings(settings);
}

/** How long the metadata of a mirror is to be good; `isNew` where {@link rememberSigning} has something to write. */
export async function plannedLifetimes(
  state: MirrorState,
  wish: SigningWish,
): Promise<{ readonly lifetimes: Lifetimes; readonly isNew: boolean }> {
  const before = await state.readSettings();
  const after = { ...before, ...signingSettings(wish, before) };
  return { lifetimes: lifetimesOf(after.lifetimes), isNew: !isDeepStrictEqual(after, before) };
}

/** How long the metadata of a mirror is good, as it remembers it. */
export async function rememberedLifetimes(state: MirrorState): Promise<Lifetimes> {
  return lifetimesOf((await state.readSettings()).lifetimes);
}

/** The directory of the keys by which a mirror was signed last; null where it was not, or was not to remember it. */
export async function rememberedKeys(mirrorDir: string): Promise<string | null> {
  return (await new MirrorState(mirrorDir).readSettings()).keysDir;
}
