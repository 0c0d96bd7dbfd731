// What is measured of one mirror: each step is a process of its own, and says what it wrote or fetched.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measure } from '../measure.mjs';
import { ours } from '../program.mjs';
import { filesIn, writeMirror } from './mirror.mjs';
import { serveDirectory } from './serve.mjs';

/** @typedef {import('../measure.mjs').Cost} Cost */
/** @typedef {{name: string, cost: Cost, bytes: number}} Step `bytes`: written below `metadata/`, or fetched */

const stranger = fileURLToPath(new URL('stranger.mjs', import.meta.url));
const signOnce = fileURLToPath(new URL('sign-once.mjs', import.meta.url));

/** The steps with keys that find nothing to do: they may write nothing. */
export const restingSteps = /** @type {const} */ (['signing, nothing new', 'refresh, nothing due']);

/**
 * Makes keys and a mirror, and signs that, twice with one image more the second time.
 * @param {{program: string, mirror: string, keys: string, shape: import('./mirror.mjs').Shape}} place
 * @param {(step: Step) => void} onStep
 * @returns {Promise<string>} the name of the newest image
 */
export async function measureSigning({ program, mirror, keys, shape }, onStep) {
  execFileSync(process.execPath, [program, 'key', 'init', '--quiet', keys]);
  writeMirror(mirror, { ...shape, imagesEach: shape.imagesEach - 1 });
  const sign = [process.execPath, signOnce, mirror, keys];
  const take = async (/** @type {string} */ name, /** @type {readonly string[]} */ command) =>
    onStep({ name, ...(await measureWriting(command, join(mirror, 'metadata'))) });
  await take('signing, the first time', sign);
  await take(restingSteps[0], sign);
  await take(restingSteps[1], ours(program, 'refresh', '--quiet', '--sign', keys, mirror));
  const newest = writeMirror(mirror, shape);
  await take('signing, a new image in each series', sign);
  return newest;
}

/**
 * What a command costs, and how much it wrote below a directory.
 * @param {readonly string[]} command
 * @param {string} directory
 */
async function measureWriting([command = '', ...args], directory) {
  const before = filesIn(directory);
  const cost = await measure(command, args);
  const fresh = [...filesIn(directory)].filter(([path, { ino }]) => before.get(path)?.ino !== ino);
  return { cost, bytes: fresh.reduce((sum, [, { size }]) => sum + size, 0) };
}

/**
 * Devices that know the first root, or nothing, fetch the newest image.
 * @param {{program: string, mirror: string, newest: string, work: string}} place
 * @param {(step: Step) => void} onStep
 */
export async function measureClients({ program, mirror, newest, work }, onStep) {
  const server = await serveDirectory(mirror);
  const root = join(mirror, 'metadata', '1.root.json');
  const series = newest.replace(/-\d{4}-\d\d-\d\d-\d{6}-/, '-').replace(/\.img$/, '');
  const [plain, trusting] = [join(work, 'device-plain'), join(work, 'device-trusting')];
  for (const device of [plain, trusting]) mkdirSync(device);
  const update = (/** @type {string[]} */ ...args) => ours(program, 'update', '--quiet', '--series', series, ...args);
  const steps = /** @type {const} */ ([
    ['update without a root, the first time', update(server.url, plain)],
    ['update --trust, the first time', update('--trust', root, server.url, trusting)],
    ['update --trust, nothing new', update('--trust', root, server.url, trusting)],
    ["tuf-js' Updater, the first time", [process.execPath, stranger, server.url, root, join(work, 'stranger'), newest]],
  ]);
  try {
    for (const [name, [command = '', ...args]] of steps) {
      server.sentBytes();
      const cost = await measure(command, args);
      onStep({ name, cost, bytes: server.sentBytes() });
    }
  } finally {
    server.stop();
  }
}
