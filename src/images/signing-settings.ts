import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { KeyRing } from '../trust/tuf/key-ring.js';
import type { MirrorSettings } from './records.js';
import { MirrorState } from './state.js';

/** How a mirror is to be signed from now on. */
export interface SigningWish {
  /** The keys; undefined leaves what the mirror remembers of them, null forgets it. */
  readonly sign?: KeyRing | null | undefined;
}

/** What a mirror is to remember of how it is signed. */
export function signingSettings({ sign }: SigningWish, before: MirrorSettings): Pick<MirrorSettings, 'keysDir'> {
  if (sign === undefined) return { keysDir: before.keysDir };
  return { keysDir: sign === null ? null : resolve(sign.directory) };
}

/** For the holder of the lock. */
export async function rememberSigning(state: MirrorState, wish: SigningWish): Promise<void> {
  const before = await state.readSettings();
  const settings = { ...before, ...signingSettings(wish, before) };
  if (!isDeepStrictEqual(settings, before)) await state.writeSettings(settings);
}

/** Whether {@link rememberSigning} has something to write. */
export async function isNewWish(state: MirrorState, wish: SigningWish): Promise<boolean> {
  const before = await state.readSettings();
  return !isDeepStrictEqual({ ...before, ...signingSettings(wish, before) }, before);
}

/** The directory of the keys by which a mirror was signed last; null where it was not, or was not to remember it. */
export async function rememberedKeys(mirrorDir: string): Promise<string | null> {
  return (await new MirrorState(mirrorDir).readSettings()).keysDir;
}
