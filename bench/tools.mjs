import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Those of `names` that are installed. Each other one is said loudly, once: a table without it would else look whole.
 * @param {readonly string[]} names
 * @returns {ReadonlySet<string>}
 */
export function findTools(names) {
  const found = names.filter(isInstalled);
  for (const name of names.filter((tool) => !found.includes(tool))) {
    console.error(`MISSING: ${name} is not installed; its rows are left out and no figure stands beside ours`);
  }
  return new Set(found);
}

/** @param {string} name */
function isInstalled(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => isExecutable(join(folder, name)));
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
