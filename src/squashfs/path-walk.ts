import { UpdateRepositoryError } from '../errors.js';
import { type ByteString, fromText, pathComponents } from './byte-string.js';
import { damagedImage } from './damage.js';
import { type DirectoryInode, type Inode, readInode } from './inode.js';
import type { Volume } from './volume.js';

/** As many as Linux follows in one path (path_resolution(7)). */
const MAX_SYMLINKS = 40;
/** PATH_MAX of Linux: no longer path can name a file there. */
const MAX_PATH_BYTES = 4096;

/** The directories from the root to the present one. Its own `..` is itself, so that no path leaves the image. */
type Trail = [DirectoryInode, ...DirectoryInode[]];

/**
 * Finds what is at an absolute POSIX path of the image. Symbolic links are followed inside the image, the last
 * component's only where `followLast` says so.
 *
 * @throws NOT_FOUND where there is nothing, FORMAT where the image is damaged, its links lead in a circle, or a
 * directory contains itself, USAGE where the path is not absolute.
 */
export async function findInode(volume: Volume, path: string, followLast: boolean): Promise<Inode> {
  const { name: image } = volume.source.file;
  if (!path.startsWith('/') || Buffer.byteLength(path) > MAX_PATH_BYTES) throw unusable(image, path);
  let trail: Trail = [await readRoot(volume)];
  const todo = pathComponents(fromText(path)).reverse();
  let links = 0;
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (name === '..') {
      trail = parentOf(trail);
      continue;
    }
    const inode = await readChild(volume, trail, name, path);
    if (inode.type === 'symlink' && (followLast || todo.length > 0)) {
      links += 1;
      if (links > MAX_SYMLINKS) throw tooManyLinks(image, path);
      todo.push(...pathComponents(inode.target).reverse());
      if (inode.target.startsWith('/')) trail = [trail[0]];
    } else if (inode.type === 'directory') {
      trail = descend(volume, trail, inode);
    } else if (todo.length > 0) {
      throw notFound(image, path);
    } else {
      return inode;
    }
  }
  return last(trail);
}

async function readRoot(volume: Volume): Promise<DirectoryInode> {
  const { superblock, blocks, source } = volume;
  const root = await readInode(blocks, superblock, superblock.rootInode);
  if (root.type === 'directory') return root;
  throw damagedImage(source.file.name, superblock.inodeTable.startBytes, 'a directory as the root', `a ${root.type}`);
}

async function readChild(volume: Volume, trail: Trail, name: ByteString, path: string): Promise<Inode> {
  const { superblock, blocks, source } = volume;
  const entry = await volume.entries.find(last(trail), name);
  if (entry === undefined) throw notFound(source.file.name, path);
  const inode = await readInode(blocks, superblock, entry.inode);
  if (inode.type === entry.type && inode.inodeNumber === entry.inodeNumber) return inode;
  const at = superblock.inodeTable.startBytes + entry.inode.blockOffset;
  const expected = `the inode of a ${entry.type}, number ${entry.inodeNumber}`;
  throw damagedImage(source.file.name, at, expected, `one of a ${inode.type}, number ${inode.inodeNumber}`);
}

/** A directory that is its own ancestor would make every walk through the tree endless. */
function descend(volume: Volume, trail: Trail, directory: DirectoryInode): Trail {
  if (trail.every(({ inodeNumber }) => inodeNumber !== directory.inodeNumber)) return [...trail, directory];
  const { name: image } = volume.source.file;
  const at = directory.listing.blockOffset;
  throw damagedImage(image, at, 'directories that form a tree', `directory ${directory.inodeNumber} inside itself`);
}

function parentOf([root, ...below]: Trail): Trail {
  return [root, ...below.slice(0, -1)];
}

function last(trail: Trail): DirectoryInode {
  return trail.at(-1) ?? trail[0];
}

function notFound(image: string, path: string): UpdateRepositoryError {
  return new UpdateRepositoryError('NOT_FOUND', `${image}: has no ${JSON.stringify(path)}`, { data: { image, path } });
}

function tooManyLinks(image: string, path: string): UpdateRepositoryError {
  const expected = `${image}: expected at most ${MAX_SYMLINKS} symbolic links on the way to ${JSON.stringify(path)}`;
  return new UpdateRepositoryError('FORMAT', `${expected}, found more`, { data: { image, path } });
}

function unusable(image: string, path: string): UpdateRepositoryError {
  const message = `${image}: expected an absolute path of at most ${MAX_PATH_BYTES} bytes, found ${JSON.stringify(path)}`;
  return new UpdateRepositoryError('USAGE', message, { data: { image, path } });
}
