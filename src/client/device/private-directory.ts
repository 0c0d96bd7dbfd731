import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../../errors.js';
import { makeDirectory } from '../../io/atomic-file.js';
import { PRIVATE_DIR } from '../../metadata/mirror-paths.js';

/**
 * What a device remembers, in `.update-repository/` of its directory of images:
 *
 *     lock                       who updates it (src/io/lock.ts)
 *     images.json                which image files were compared with which sha256, and in which state
 *     line.json                  how fast downloads have been
 *     trust.json                 the signed metadata that was verified last, where a root was given
 *     switch.json                there while another image becomes current, or the previous one goes
 *     partial/<file name>        bytes of a download, or of an image that is being made
 *     partial/<file name>.json   what those bytes are
 */
export class PrivateDirectory {
  readonly path: string;
  readonly lockPath: string;
  readonly imagesPath: string;
  readonly linePath: string;
  readonly trustPath: string;
  readonly switchPath: string;
  readonly partialDir: string;

  constructor(deviceDir: string) {
    this.path = join(deviceDir, PRIVATE_DIR);
    this.lockPath = join(this.path, 'lock');
    this.imagesPath = join(this.path, 'images.json');
    this.linePath = join(this.path, 'line.json');
    this.trustPath = join(this.path, 'trust.json');
    this.switchPath = join(this.path, 'switch.json');
    this.partialDir = join(this.path, 'partial');
  }

  partialPath(fileName: string): string {
    return join(this.partialDir, fileName);
  }

  /** Where the record of the partial file `fileName` is. */
  partialRecordPath(fileName: string): string {
    return join(this.partialDir, `${fileName}.json`);
  }

  /** A place for a file in the making. */
  temporaryPath(name: string): string {
    return join(this.path, `${name}.tmp`);
  }

  /**
   * Makes the directories. Refuses symbolic links in their place: nothing is written outside of the device's
   * directory.
   */
  async prepare(): Promise<void> {
    for (const path of [this.path, this.partialDir]) {
      await makeDirectory(path);
      if (!(await isRealDirectory(path))) {
        throw new UpdateRepositoryError('CONFIG', `${path}: expected a directory, found a symbolic link`, {
          data: { path },
        });
      }
    }
  }
}

async function isRealDirectory(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw fromSystemError(error, 'look at it', path);
  }
}
