import { afterEach, expect, it, vi } from 'vitest';
import { childEnvironment } from '../../src/io/child-environment.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

it('the environment of a child process is that of this one, with what is added, and without the passphrase of keys', () => {
  vi.stubEnv('UPDATE_REPOSITORY_PASSPHRASE', 'secret');
  vi.stubEnv('TZ', 'Europe/Helsinki');
  const env = childEnvironment({ TZ: 'UTC', ADDED: 'yes' });
  expect(env).toMatchObject({ PATH: process.env.PATH, TZ: 'UTC', ADDED: 'yes' });
  expect(Object.keys(env)).not.toContain('UPDATE_REPOSITORY_PASSPHRASE');
  expect(process.env.UPDATE_REPOSITORY_PASSPHRASE).toBe('secret');
});
