/** The variable of the environment that holds a passphrase. No process that this one starts is to have it. */
export const PASSPHRASE_VARIABLE = 'UPDATE_REPOSITORY_PASSPHRASE';

/** The variable of the environment that holds private keys. Nor is any process to have that. */
export const PRIVATE_KEYS_VARIABLE = 'UPDATE_REPOSITORY_PRIVATE_KEYS';

/** The environment of a process that this one starts: its own one without passphrase and private keys, and with `more`. */
export function childEnvironment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { [PASSPHRASE_VARIABLE]: _, [PRIVATE_KEYS_VARIABLE]: __, ...env } = process.env;
  return { ...env, ...more };
}
