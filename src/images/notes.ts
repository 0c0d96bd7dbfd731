import type { EventSink } from '../events.js';
import type { LinkMode } from '../io/link.js';
import type { BuildRequest } from './build-request.js';
import type { ImageRecord } from './records.js';
import { unreadableNotes } from './scan.js';

/** What a user should know of the request itself. */
export function reportRequest(
  request: BuildRequest,
  baseUrl: string | null,
  { link, onEvent }: { readonly link: LinkMode; readonly onEvent: EventSink },
): void {
  for (const note of request.notes) onEvent(note);
  // Copies and reflinks have a mode of their own, which all can read.
  const mayShareMode = link === 'auto' || link === 'hard';
  const published = [...request.images.values()].filter(({ publish }) => publish && mayShareMode);
  for (const note of unreadableNotes(published.flatMap(({ file }) => file ?? []))) onEvent(note);
  for (const { name, file } of request.images.values()) {
    if (file !== null) continue;
    onEvent({
      type: 'note',
      level: 'warning',
      subject: name.fileName,
      message: 'listed, and not in the image directory',
    });
  }
  if (baseUrl === null) {
    onEvent({
      type: 'note',
      level: 'warning',
      message: 'no base URL: urls are relative to the root, and bootservers need whole ones (--base-url https://…)',
    });
  }
}

/** What a user should know of the images' contents; `examined` are those that were read in this run. */
export function reportImages(
  images: ReadonlyMap<string, ImageRecord>,
  examined: ReadonlySet<string>,
  onEvent: EventSink,
): void {
  // In the order of the names, whichever worker was done first.
  const inOrder = [...images].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [fileName, { innerName, kind }] of inOrder) {
    if (kind !== 'squashfs' && examined.has(fileName)) {
      onEvent({ type: 'note', level: 'info', subject: fileName, message: `${kind}, no squashfs: no puavo-conf` });
    } else if (innerName !== null && innerName !== fileName) {
      onEvent({
        type: 'note',
        level: 'warning',
        subject: fileName,
        message: `calls itself ${innerName} (/etc/puavo-image/name): laptops that boot it will not find their updates`,
      });
    }
  }
}
