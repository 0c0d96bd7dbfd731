import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { hasCode } from '../../errors.js';
import type { EventSink, UpdateCheckEvent } from '../../events.js';
import { makeDirectory, readTextFile, writeFileAtomic } from '../../io/atomic-file.js';
import { isImageVersion, isSeriesName, VERSION_FORM } from '../../metadata/brands.js';
import { jsonMember, jsonMembers, jsonString, parseJson, wrongJson } from '../../metadata/json-node.js';
import type { Notice } from './notice.js';
import { tell } from './tell.js';

/*
 * notified.json in the private directory of a device: the last version of each series that somebody was told of.
 *
 *     { "format": 1, "series": { "<series>": "<14 digits>" } }
 */
const FILE = 'notified.json';
const FORMAT = 1;
const MAX_BYTES = 1 << 20;
const MAX_SERIES = 1_000;

/** What became of a notice. */
export type Notified = 'told' | 'told-before' | 'nothing-new';

export interface NotifyOptions {
  /** The private directory of the device; made where it is not there. */
  readonly directory: string;
  /** Whether to tell also what was told before. */
  readonly again: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/**
 * Tells of a new version, once: what was told is remembered as soon as it has arrived.
 *
 * @throws UpdateRepositoryError what {@link tell} throws, and IO or NO_SPACE when it cannot be remembered
 */
export async function notifyOnce(notice: Notice, check: UpdateCheckEvent, options: NotifyOptions): Promise<Notified> {
  if (!check.isNew) return 'nothing-new';
  const { directory, again, signal, onEvent } = options;
  const path = join(directory, FILE);
  const told = await readTold(path, onEvent);
  if (!again && told.get(check.series) === check.version) return 'told-before';
  await tell(notice, check, { signal, onEvent });
  await makeDirectory(directory);
  const series = Object.fromEntries(new Map(told).set(check.series, check.version));
  const temporaryPath = `${path}.${randomBytes(8).toString('hex')}.tmp`;
  await writeFileAtomic(path, `${JSON.stringify({ format: FORMAT, series })}\n`, temporaryPath);
  return 'told';
}

/** A damaged file costs another notice at most. */
async function readTold(path: string, onEvent: EventSink): Promise<ReadonlyMap<string, string>> {
  try {
    const text = await readTextFile(path, MAX_BYTES);
    return text === null ? new Map() : parseTold(text, path);
  } catch (error) {
    if (!hasCode(error, 'FORMAT')) throw error;
    onEvent({ type: 'note', level: 'warning', subject: path, message: `what was told is forgotten: ${error.message}` });
    return new Map();
  }
}

function parseTold(text: string, file: string): ReadonlyMap<string, string> {
  const root = parseJson(text, { file, code: 'FORMAT' });
  const format = jsonMember(root, 'format');
  if (format.value !== FORMAT) throw wrongJson(format, `the format ${FORMAT} that this program knows`);
  const members = [...jsonMembers(jsonMember(root, 'series'), MAX_SERIES)];
  return new Map(
    members.map(([series, node]) => {
      if (!isSeriesName(series)) throw wrongJson(node, 'a series name that can be a file name', 'another');
      return [series, jsonString(node, VERSION_FORM, isImageVersion)];
    }),
  );
}
