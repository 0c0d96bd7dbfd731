// `npm run demo`: makes two series of images out of published npm packages, turns them into a mirror with the command
// line, and shows that the mirror is right. Needs Node and npm, no root and no other tool; all of it is in demo/out/.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeImages } from './images.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, 'demo', 'out');

try {
  await main();
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}

async function main() {
  if (!existsSync(join(root, 'dist', 'index.js'))) throw new Error('dist/ is missing: run npm ci, or npm run build');
  const images = makeImages(out);
  const mirror = join(out, 'mirror');
  rmSync(mirror, { recursive: true, force: true });

  say('1. Build a mirror of the images, with the deltas that Puavo makes');
  updateRepository(images, mirror, '--deltas', 'puavo', '--base-url', 'https://images.example.org');
  say('2. Update an image with a delta, as a device does');
  const { updateWithDelta } = await import('./proof.mjs'); // needs dist/, so not before it was looked for
  console.log(await updateWithDelta(mirror, out));
  say('3. Compare every file with every checksum, and apply every delta');
  updateRepository('verify', '--deep', mirror);
  say('4. Build again: nothing is left to do');
  updateRepository(images, mirror, '--deltas', 'puavo', '--base-url', 'https://images.example.org');
  say(`Done. Serve ${relative(process.cwd(), mirror) || '.'} with any web server; remove demo/out/ to start afresh.`);
}

/** @param {readonly string[]} args */
function updateRepository(...args) {
  console.log(`$ update-repository ${args.map(shorten).join(' ')}`);
  const { status, signal } = spawnSync(process.execPath, [join(root, 'bin', 'update-repository.js'), ...args], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`update-repository: expected exit code 0, found ${signal ?? status}`);
}

/** @param {string} text */
function say(text) {
  console.log(`\n${text}`);
}

/**
 * Paths of the demo as one would type them.
 * @param {string} arg
 */
function shorten(arg) {
  return arg.startsWith(out) ? relative(process.cwd(), arg) : arg;
}
