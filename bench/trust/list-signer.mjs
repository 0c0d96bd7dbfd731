// The yardstick: a plain list of checksums, signed by gpg and verified by gpgv.
import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { measure } from '../measure.mjs';
import { findTools } from '../tools.mjs';

/** @typedef {import('./steps.mjs').Step} Step */

/**
 * Signs a list by a key that is open already, and verifies it; nothing where gpg is missing. Both read all of the list.
 * @param {string} list
 * @param {string} folder for a key
 * @param {(step: Step) => void} onStep
 */
export async function measureSignedList(list, folder, onStep) {
  if (findTools(['gpg', 'gpgv', 'gpgconf']).size < 3) return;
  mkdirSync(folder, { mode: 0o700 });
  const [signature, keyring] = [join(folder, 'list.gpg'), join(folder, 'key.gpg')];
  const gpg = ['--homedir', folder, '--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', ''];
  try {
    execFileSync('gpg', [...gpg, '--quick-generate-key', 'bench', 'ed25519', 'sign', 'never'], { stdio: 'ignore' });
    execFileSync('gpg', [...gpg, '--output', keyring, '--export']);
    const signing = await measure('gpg', [...gpg, '--output', signature, '--detach-sign', list]);
    onStep({ name: 'gpg --detach-sign SHA256SUMS', cost: signing, bytes: statSync(signature).size });
    const verifying = await measure('gpgv', ['--quiet', '--logger-fd', '1', '--keyring', keyring, signature, list]);
    onStep({ name: 'gpgv SHA256SUMS', cost: verifying, bytes: statSync(list).size + statSync(signature).size });
  } finally {
    execFileSync('gpgconf', ['--homedir', folder, '--kill', 'gpg-agent']);
  }
}
