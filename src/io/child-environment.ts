/** The variable of the environment that holds a passphrase. No process that this one starts is to have it. */
export const PASSPHRASE_VARIABLE = 'UPDATE_REPOSITORY_PASSPHRASE';

/** The environment of a process that this one starts: its own one without the passphrase, and with `more`. */
export function childEnvironment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { [PASSPHRASE_VARIABLE]: _, ...env } = process.env;
  return { ...env, ...more };
}
