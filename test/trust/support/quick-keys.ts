import { DEFAULT_LIFETIMES, KeyRing, makeKeys, type Passphrase } from 'update-repository';
import { readKeyDirectory, saveKey } from '../../../src/trust/tuf/key-directory.js';
import { openKeyFile } from '../../../src/trust/tuf/key-file.js';

// Opening a key takes half a second of a processor, as it should: too much for tests that are about something else.
const QUICK_N = 2 ** 14;

/** The keys of all roles, in a new directory of files that open quickly. */
export async function quickKeys(directory: string, passphrase: Passphrase, rootKeys = 1): Promise<KeyRing> {
  const plan = { type: 'ed25519', rootKeys, threshold: 1, scryptN: QUICK_N } as const;
  await makeKeys(directory, plan, passphrase, { lifetimes: DEFAULT_LIFETIMES, now: new Date() });
  return await KeyRing.open(directory, passphrase);
}

/** Has the private keys of a directory open quickly from now on. */
export async function makeQuick(directory: string, passphrase: string): Promise<void> {
  for (const file of await readKeyDirectory(directory)) {
    if (file.sealed === null) continue;
    await saveKey(directory, await openKeyFile(file, passphrase), file.roles, passphrase, QUICK_N);
  }
}
