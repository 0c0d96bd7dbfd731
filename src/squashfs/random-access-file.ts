import { constants, type FileHandle, open } from 'node:fs/promises';
import { fromSystemError, UpdateRepositoryError } from '../errors.js';
import { damagedImage } from './damage.js';

/** An image as bytes that can be read at any place: a file, or a stand-in for one. */
export interface RandomAccessFile {
  /** What messages call it. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Exactly `length` bytes from `offset`; fewer are an error. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** An open file; whoever opened it closes it. */
export interface ImageFile extends RandomAccessFile {
  close(): Promise<void>;
}

/**
 * Opens an image file for reading; messages call it by its path.
 *
 * @throws NOT_FOUND or IO where it cannot be opened or is no regular file; `read` throws CHANGED_WHILE_READ where the
 * file has become shorter since.
 */
export async function openImageFile(path: string): Promise<ImageFile> {
  const handle = await openRegularFile(path);
  const { size } = await handle.stat();
  return {
    name: path,
    sizeBytes: size,
    read: (offset, length) => readFully(handle, path, offset, length),
    close: () => handle.close(),
  };
}

/**
 * Reads a part of `file` that the image itself points to, after checking that the file has it.
 *
 * @param what What is read, for the message: "a metadata block".
 * @throws FORMAT where the part is not inside the file.
 */
export async function readPart(
  file: RandomAccessFile,
  offset: number,
  length: number,
  what: string,
): Promise<Uint8Array> {
  if (offset + length > file.sizeBytes) {
    const expected = `${what} of ${length} bytes`;
    throw damagedImage(file.name, offset, expected, `the end of the image at byte ${file.sizeBytes}`);
  }
  return file.read(offset, length);
}

async function openRegularFile(path: string): Promise<FileHandle> {
  const handle = await openWithoutWaiting(path);
  const stat = await handle.stat();
  if (stat.isFile()) return handle;
  await handle.close();
  throw new UpdateRepositoryError('IO', `${path}: cannot read the image: it is no regular file`, { data: { path } });
}

/** O_NONBLOCK, because opening a FIFO would otherwise wait for a writer. */
async function openWithoutWaiting(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw fromSystemError(error, 'open the image', path);
  }
}

async function readFully(handle: FileHandle, path: string, offset: number, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const bytesRead = await readSome(handle, path, buffer, done, offset + done);
    if (bytesRead === 0) throw shortRead(path, offset, length, done);
    done += bytesRead;
  }
  return buffer;
}

async function readSome(
  handle: FileHandle,
  path: string,
  buffer: Uint8Array,
  done: number,
  position: number,
): Promise<number> {
  try {
    return (await handle.read(buffer, done, buffer.length - done, position)).bytesRead;
  } catch (error) {
    throw fromSystemError(error, 'read the image', path);
  }
}

function shortRead(path: string, offset: number, expected: number, found: number): UpdateRepositoryError {
  return new UpdateRepositoryError(
    'CHANGED_WHILE_READ',
    `${path}: expected ${expected} bytes at byte ${offset}, found ${found}: the file has become shorter`,
    { data: { path, offset, expected, found } },
  );
}
