// The tree of files that an image is made of: hard links to unpacked packages, which cost no disk, and who it is.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** @typedef {{name: string, version: string}} Package */

/**
 * Folders that lie over each other, and files by their path.
 * @typedef {{folders: readonly string[], files: Readonly<Record<string, string>>}} Contents
 */

/** When everything that the corpus itself writes was written: the same packages make the same images. */
export const corpusEpochSeconds = 1736748000;

/**
 * Runs a task with as many trees as there are `contents`, all below `cache`, and removes them.
 * @template T
 * @param {string} cache
 * @param {readonly Contents[]} contents
 * @param {(trees: string[]) => T} task
 */
export function withTrees(cache, contents, task) {
  const trees = contents.map(() => mkdtempSync(join(cache, 'tree-')));
  try {
    for (const [index, { folders, files }] of contents.entries()) fillTree(String(trees[index]), folders, files);
    return task(trees);
  } finally {
    for (const tree of trees) rmSync(tree, { recursive: true, force: true });
  }
}

/**
 * What dpkg itself keeps: it differs in every image of a distribution.
 * @param {readonly Package[]} present
 */
export function dpkgStatus(present) {
  return present.map((found) => `Package: ${found.name}\nVersion: ${found.version}\n`).join('\n');
}

/**
 * @param {string} tree
 * @param {readonly string[]} folders
 * @param {Readonly<Record<string, string>>} files
 */
function fillTree(tree, folders, files) {
  for (const folder of folders) execFileSync('cp', ['-al', `${folder}/.`, tree]);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), content);
  }
  for (const path of Object.keys(files)) setTimes(tree, path);
}

/**
 * Of a file and of the folders that it lies in.
 * @param {string} tree
 * @param {string} path
 */
function setTimes(tree, path) {
  for (let folder = path; folder !== '.'; folder = dirname(folder)) {
    utimesSync(join(tree, folder), corpusEpochSeconds, corpusEpochSeconds);
  }
}
