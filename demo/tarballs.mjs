// Published versions of a package, fetched once by npm itself from wherever npm is configured to look.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The path of a package's tarball below `folder`, fetched when it is not there yet. Throws, with npm's own words, when
 * npm cannot fetch it.
 * @param {string} folder
 * @param {string} name
 * @param {string} version
 */
export function fetchTarball(folder, name, version) {
  const tarball = join(folder, `${name}-${version}.tgz`);
  if (existsSync(tarball)) return tarball;
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(folder, 'npm-pack-'));
  try {
    console.log(`fetching ${name}@${version} with npm pack`);
    const npm = run([
      'pack',
      `${name}@${version}`,
      '--loglevel=error',
      '--fetch-retries=1',
      '--pack-destination',
      scratch,
    ]);
    const [packed] = readdirSync(scratch);
    if (npm.status !== 0 || packed === undefined) throw notFetched(name, version, npm);
    renameSync(join(scratch, packed), tarball); // never half a tarball under the final name
    return tarball;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** @param {readonly string[]} args */
function run(args) {
  // `npm run` tells where npm itself is; without it, npm is looked for on the PATH.
  const npm = process.env.npm_execpath;
  /** @type {import('node:child_process').SpawnSyncOptionsWithStringEncoding} */
  const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] };
  return npm === undefined ? spawnSync('npm', args, options) : spawnSync(process.execPath, [npm, ...args], options);
}

/**
 * @param {string} name
 * @param {string} version
 * @param {ReturnType<typeof run>} npm
 */
function notFetched(name, version, npm) {
  const silent = `npm pack ended with ${npm.signal ?? npm.status} and said nothing`;
  const said = npm.error?.message ?? npm.stderr?.split('\n').find((line) => line.startsWith('npm error')) ?? silent;
  return new Error(
    `cannot fetch ${name}@${version}: ${said}\n` +
      'The demo needs the npm registry, the first time. Is the network there, and does `npm ping` answer?',
  );
}
