import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, renameSync } from 'node:fs';
import { basename } from 'node:path';
import { corpusEpochSeconds } from './tree.mjs';

const mebibyte = 2 ** 20;

/** One for all images, as an image builder that wants the same image twice does. */
const identity = '6d1f0a3e-5b7c-4c8e-9a51-3f2e84d7c690';

/**
 * Makes an ext4 image of `tree`, without root, by `mkfs.ext4 -d` with its default features (journal, metadata
 * checksums and all) and a fixed identity: as systemd-repart, Yocto and Buildroot make theirs. Times of inodes are
 * those of the tree's files.
 * @param {string} tree
 * @param {string} path
 * @param {number} sizeBytes
 */
export function writeExt4(tree, path, sizeBytes) {
  console.error(`making ${basename(path)}`);
  const file = openSync(`${path}.tmp`, 'w');
  ftruncateSync(file, sizeBytes);
  closeSync(file);
  const extended = `hash_seed=${identity},root_owner=0:0,nodiscard,lazy_itable_init=1`;
  const options = ['-q', '-F', '-m', '0', '-L', 'root', '-U', identity, '-E', extended, '-d', tree];
  execFileSync('mkfs.ext4', [...options, `${path}.tmp`], {
    stdio: ['ignore', 'ignore', 'inherit'],
    // Those who are not root have no sbin on their PATH.
    env: {
      ...process.env,
      PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
      E2FSPROGS_FAKE_TIME: String(corpusEpochSeconds),
    },
  });
  renameSync(`${path}.tmp`, path);
}

/**
 * A size at which all of `trees` fit an image with some room: a device's partition has one size for every version.
 * @param {readonly string[]} trees
 */
export function ext4Size(trees) {
  const used = trees.map((tree) => Number(/^\d+/.exec(execFileSync('du', ['-s', '-B1', tree], { encoding: 'utf8' }))));
  return Math.ceil((Math.max(...used) * 1.06) / mebibyte + 128) * mebibyte;
}
