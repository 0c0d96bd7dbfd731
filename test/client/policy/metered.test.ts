import { chmod, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { askNetworkManager, isConnectionMetered } from '../../../src/client/policy/metered.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const { signal } = new AbortController();

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Puts scripts of these names in front of the commands of the system. */
async function withCommands(scripts: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryDirectory();
  for (const [name, script] of Object.entries(scripts)) {
    const path = join(folder, name);
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
  }
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env.PATH}`);
  return folder;
}

describe('whether the connection is metered', () => {
  it.each([
    ['echo u 0', 'exit 1', null],
    ['echo u 1', 'exit 1', true],
    ['echo u 2', 'echo yes', false],
    ['echo u 3', 'echo no', true],
    ['echo u 4', 'exit 1', false],
    ['echo nonsense', 'exit 1', null],
    ['echo u 1; exit 1', 'exit 1', null],
    ['exit 1', 'printf "unknown\\n\\nyes (guessed)\\n\\nno\\n"', true],
    ['exit 1', 'printf "unknown\\n\\nno (guessed)\\n"', false],
    ['exit 1', 'printf "unknown\\n"', null],
    ['exit 1', 'echo yesterday', null],
  ])('is asked from NetworkManager: busctl says %s, nmcli says %s: %s', async (busctl, nmcli, expected) => {
    await withCommands({ busctl, nmcli });
    expect(await askNetworkManager(signal)).toBe(expected);
  });

  it('is asked by these words', async () => {
    const folder = await withCommands({ busctl: 'echo "$@" >> "$0.args"; exit 1', nmcli: 'echo "$@" >> "$0.args"' });
    await askNetworkManager(signal);
    expect(await readFile(join(folder, 'busctl.args'), 'utf8')).toBe(
      '--system get-property org.freedesktop.NetworkManager /org/freedesktop/NetworkManager ' +
        'org.freedesktop.NetworkManager Metered\n',
    );
    expect(await readFile(join(folder, 'nmcli.args'), 'utf8')).toBe(
      '--terse --get-values GENERAL.METERED device show\n',
    );
  });

  it('is not known where there is nobody to ask', async () => {
    vi.stubEnv('PATH', await temporaryDirectory());
    expect(await askNetworkManager(signal)).toBeNull();
  });

  it('is not waited for long', async () => {
    await withCommands({ busctl: 'exec sleep 600', nmcli: 'exec sleep 600' });
    const started = performance.now();
    expect(await askNetworkManager(signal)).toBeNull();
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it('is not waited for after an abort', async () => {
    await withCommands({ busctl: 'exec sleep 600', nmcli: 'exec sleep 600' });
    const started = performance.now();
    expect(await askNetworkManager(AbortSignal.timeout(100))).toBeNull();
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it.each([
    ['metered', 'never', true],
    ['unmetered', 'never', false],
    ['auto', 'full', null],
  ] as const)('is not asked where the policy knows or does not care: %s, %s', async (connection, metered, expected) => {
    const ask = async () => await Promise.reject(new Error('not to be asked'));
    expect(await isConnectionMetered({ connection, metered }, ask, signal)).toBe(expected);
  });

  it('is asked where it matters', async () => {
    expect(await isConnectionMetered({ connection: 'auto', metered: 'deltas-only' }, async () => true, signal)).toBe(
      true,
    );
  });
});
