import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { EventSink, PlannedAction } from '../events.js';
import type { LinkMode } from '../io/link.js';
import { parseRdiffName } from '../metadata/image-name.js';
import type { BuildRequest } from './build-request.js';
import { type DeltaPolicy, formatDeltaPolicy } from './delta-policy.js';
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

/** A warning of deltas that another policy published, that clients may count on, and that this build drops. */
export function reportPolicyChange(
  before: DeltaPolicy | null,
  policy: DeltaPolicy,
  actions: readonly PlannedAction[],
  onEvent: EventSink,
): void {
  if (before === null || isDeepStrictEqual(before, policy)) return;
  const dropped = actions.filter(({ action, path }) => action === 'drop' && parseRdiffName(basename(path))).length;
  if (dropped === 0) return;
  const change = `policy ${formatDeltaPolicy(policy)}, before ${formatDeltaPolicy(before)}`;
  const message = `${dropped} published delta${dropped === 1 ? ' is' : 's are'} not wanted any more (${change})`;
  onEvent({ type: 'note', level: 'warning', message });
}

/** What a user should know of the images' contents; `examined` are those that were read in this run. */
export function reportImages(
  request: BuildRequest,
  images: ReadonlyMap<string, ImageRecord>,
  examined: ReadonlySet<string>,
  onEvent: EventSink,
): void {
  const odd = oddImages(request, images);
  // In the order of the names, whichever worker was done first.
  const inOrder = [...images].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [fileName, { innerName, kind }] of inOrder) {
    const note = (level: 'info' | 'warning', message: string): void =>
      onEvent({ type: 'note', level, subject: fileName, message });
    if (odd.has(fileName)) note('warning', `${kind}, no squashfs as other images of its series: is it damaged?`);
    else if (kind !== 'squashfs' && examined.has(fileName)) note('info', `${kind}, no squashfs: no puavo-conf`);
    else if (innerName !== null && innerName !== fileName) {
      note(
        'warning',
        `calls itself ${innerName} (/etc/puavo-image/name): laptops that boot it will not find their updates`,
      );
    }
  }
}

/** Images that are no squashfs in a series that has some. */
function oddImages({ series }: BuildRequest, images: ReadonlyMap<string, ImageRecord>): ReadonlySet<string> {
  const isSquashfs = (fileName: string): boolean => images.get(fileName)?.kind === 'squashfs';
  const mixed = series
    .map((one) => one.images.map(({ fileName }) => fileName))
    .filter((names) => names.some(isSquashfs));
  return new Set(mixed.flat().filter((fileName) => images.has(fileName) && !isSquashfs(fileName)));
}
