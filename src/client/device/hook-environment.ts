import { join } from 'node:path';
import { classifyImageName } from '../../metadata/image-name.js';
import type { Device } from './device.js';

/** What a hook finds in its environment, beside that of this process. */
export function hookEnvironment(
  { dir, layout }: Device,
  image: string,
  replaced: string | null,
): Readonly<Record<string, string>> {
  return {
    UPDATE_REPOSITORY_DIR: dir,
    UPDATE_REPOSITORY_LAYOUT: layout.name,
    UPDATE_REPOSITORY_IMAGE: join(dir, image),
    UPDATE_REPOSITORY_VERSION: versionOf(image),
    UPDATE_REPOSITORY_PREVIOUS_IMAGE: replaced === null ? '' : join(dir, replaced),
    UPDATE_REPOSITORY_PREVIOUS_VERSION: replaced === null ? '' : versionOf(replaced),
  };
}

function versionOf(fileName: string): string {
  const found = classifyImageName(fileName);
  return found.kind === 'image' ? found.name.version : '';
}
