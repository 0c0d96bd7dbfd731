import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

/** A home of gpg's with an agent of its own, both gone after the suite. Call it outside the tests. */
export class GnupgHome {
  // Not deeper: the path of the agent's socket must be short.
  readonly path = join(tmpdir(), `ur-gpg-${randomUUID().slice(0, 8)}`);
  readonly env = { ...process.env, GNUPGHOME: this.path };

  constructor() {
    beforeAll(() => {
      mkdirSync(this.path, { mode: 0o700 });
    });
    afterAll(() => {
      spawnSync('gpgconf', ['--kill', 'all'], { env: this.env });
      rmSync(this.path, { recursive: true, force: true });
    });
  }

  run(args: readonly string[], input: string | Uint8Array = ''): Buffer {
    return execFileSync('gpg', ['--batch', '--pinentry-mode', 'loopback', ...args], {
      env: this.env,
      input,
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: 60_000,
    });
  }

  /** Makes a key, locked by `passphrase` unless that is empty; returns its fingerprint in lower case. */
  makeKey(userId: string, algorithm: string, passphrase = '', usage = 'sign'): string {
    this.run(['--passphrase-fd', '0', '--quick-generate-key', userId, algorithm, usage, 'never'], `${passphrase}\n`);
    return this.fingerprint(userId);
  }

  fingerprint(userId: string): string {
    const listing = this.run(['--with-colons', '--list-keys', '--', userId]).toString();
    return /^fpr:+([0-9A-F]{40}):/m.exec(listing)?.[1]?.toLowerCase() ?? '';
  }

  /** Otherwise the agent knows for a while the passphrase that unlocked a key. */
  forgetPassphrases(): void {
    spawnSync('gpgconf', ['--reload', 'gpg-agent'], { env: this.env });
  }

  exportSecretKey(userId: string, passphrase = '', what = '--export-secret-keys'): Buffer {
    return this.run(['--passphrase-fd', '0', what, '--', userId], `${passphrase}\n`);
  }
}

/** Whether Debian's gpgv takes a detached signature over `data`, with nothing but `keyring` to know keys from. */
export function isGoodForGpgv(
  directory: string,
  { data, signature, keyring }: Record<'data' | 'signature' | 'keyring', Uint8Array>,
): boolean {
  const places = { data, signature, keyring };
  for (const [name, bytes] of Object.entries(places)) writeFileSync(join(directory, name), bytes);
  const { status } = spawnSync('gpgv', ['--keyring', './keyring', 'signature', 'data'], {
    cwd: directory,
    env: { ...process.env, GNUPGHOME: directory },
  });
  return status === 0;
}

/** Puts a program in the way of gpg: the folder to put first on PATH. */
export function standIn(directory: string, script: string): string {
  const path = join(directory, 'gpg');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return directory;
}

/** A copy with one bit turned. */
export function flipped(bytes: Uint8Array, index: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = index < 0 ? bytes.length + index : index;
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
