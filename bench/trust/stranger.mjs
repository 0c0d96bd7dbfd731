// `node stranger.mjs URL ROOT FOLDER IMAGE`: tuf-js' own client, which knows the first root alone, verifies and fetches an image.
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Updater } from 'tuf-js';

const [url, root = '', folder = '', image = ''] = process.argv.slice(2);
const [metadataDir, targetDir] = ['metadata', 'targets'].map((name) => join(folder, name));
for (const dir of [metadataDir, targetDir]) mkdirSync(String(dir), { recursive: true });
copyFileSync(root, join(String(metadataDir), 'root.json'));
const updater = new Updater({
  metadataDir: String(metadataDir),
  metadataBaseUrl: `${url}/metadata`,
  targetDir: String(targetDir),
  targetBaseUrl: String(url),
  config: { prefixTargetsWithHash: false },
});
const target = await updater.getTargetInfo(image);
if (target === undefined) throw new Error(`${image}: expected a target, found none`);
await updater.downloadTarget(target);
