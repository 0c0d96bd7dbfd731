import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError, hasCode, isSystemError } from '../errors.js';
import { makeDirectory, readTextFile, writeFileAtomic, writeFileQuickly } from '../io/atomic-file.js';
import { type Channels, parseChannels, renderChannels } from '../metadata/channel.js';
import { PRIVATE_DIR } from '../metadata/mirror-paths.js';
import { MAX_BYTES } from '../trust/tuf/documents.js';
import { formatDeltaPolicy } from './delta-policy.js';
import {
  type DeltaRecord,
  type ImageRecord,
  type MirrorSettings,
  parseDeltaRecord,
  parseDropped,
  parseImageRecord,
  parseSettings,
} from './records.js';

/**
 * The mirror's private memory below `.update-repository/`: what was learnt from files, so that nothing is read twice,
 * and what makes a killed build recognisable. Everything in it but the root and the channels can be learnt again from the
 * images and the mirror: a record that is damaged or lost costs time, never correctness.
 *
 *     lock            the writer of the mirror (src/io/lock.ts)
 *     settings.json   what the mirror remembers between builds
 *     images/         one record an image file
 *     deltas/         one record a delta and its compressed form, also of what was not worth publishing
 *     dropped.json    files that indexes named once, and since when no index names them any more
 *     root.json       the newest root that was signed here: the mirror's metadata is believed where its roots lead to it
 *     channels.json   the channels that `channel set` made: what is signed of them is never read anywhere else
 *     publishing      there while the indexes are being rewritten
 *     tmp/            files in the making
 */
export class MirrorState {
  readonly directory: string;

  constructor(mirrorDir: string) {
    this.directory = join(mirrorDir, PRIVATE_DIR);
  }

  get lockPath(): string {
    return join(this.directory, 'lock');
  }

  get publishingPath(): string {
    return join(this.directory, 'publishing');
  }

  /** A place for a file in the making, on the mirror's file system and out of its readers' sight. */
  temporaryPath(name: string): string {
    return join(this.directory, 'tmp', name);
  }

  /** Makes the directories. Only the holder of the lock calls it. */
  async prepare(): Promise<void> {
    await Promise.all(['images', 'deltas', 'tmp'].map((name) => makeDirectory(join(this.directory, name))));
  }

  /** Removes what killed or stopped jobs have left. Only the holder of the lock calls it. */
  async clearTemporary(): Promise<void> {
    await rm(join(this.directory, 'tmp'), { recursive: true, force: true });
    await makeDirectory(join(this.directory, 'tmp'));
  }

  async readSettings(): Promise<MirrorSettings> {
    return (await this.#read('settings.json', parseSettings)) ?? NO_SETTINGS;
  }

  async writeSettings(settings: MirrorSettings): Promise<void> {
    const { deltas } = settings;
    await this.#write('settings.json', { ...settings, deltas: deltas === null ? null : formatDeltaPolicy(deltas) });
  }

  /** The text of the newest root that was signed here, or null. */
  async readRoot(): Promise<string | null> {
    return await readTextFile(join(this.directory, 'root.json'), MAX_BYTES.root);
  }

  async writeRoot(text: string): Promise<void> {
    await writeFileAtomic(join(this.directory, 'root.json'), text, this.temporaryPath('root.json'));
  }

  /** The channels that the mirror is to have; unlike a record, one that is damaged is an error (FORMAT). */
  async readChannels(): Promise<Channels> {
    const path = join(this.directory, CHANNELS_FILE);
    const text = await readTextFile(path, MAX_RECORD_BYTES);
    return text === null ? new Map() : parseChannels(text, path);
  }

  async writeChannels(channels: Channels): Promise<void> {
    const path = join(this.directory, CHANNELS_FILE);
    await writeFileAtomic(path, renderChannels(channels), this.#temporaryRecord(CHANNELS_FILE));
  }

  async readImage(fileName: string): Promise<ImageRecord | null> {
    return this.#read(join('images', `${fileName}.json`), parseImageRecord);
  }

  async writeImage(fileName: string, record: ImageRecord): Promise<void> {
    await this.#note(join('images', `${fileName}.json`), record);
  }

  async readDelta(fileName: string): Promise<DeltaRecord | null> {
    return this.#read(join('deltas', `${fileName}.json`), parseDeltaRecord);
  }

  async writeDelta(fileName: string, record: DeltaRecord): Promise<void> {
    await this.#note(join('deltas', `${fileName}.json`), record);
  }

  /** Forgets a file of the mirror, so that its name is free again. */
  async forget(kind: 'images' | 'deltas', fileName: string): Promise<void> {
    await rm(join(this.directory, kind, `${fileName}.json`), { force: true });
  }

  /** The names of the files that there are records of. */
  async recorded(kind: 'images' | 'deltas'): Promise<string[]> {
    try {
      const names = await readdir(join(this.directory, kind));
      return names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return [];
      throw fromSystemError(error, 'list it', join(this.directory, kind));
    }
  }

  /** Mirror paths that no index names any more, each with the time (ISO 8601) since when. */
  async readDropped(): Promise<ReadonlyMap<string, string>> {
    return (await this.#read('dropped.json', parseDropped)) ?? new Map();
  }

  async writeDropped(dropped: ReadonlyMap<string, string>): Promise<void> {
    await this.#write('dropped.json', Object.fromEntries(dropped));
  }

  async #read<T>(name: string, parse: (value: unknown) => T | null): Promise<T | null> {
    try {
      const text = await readTextFile(join(this.directory, name), MAX_RECORD_BYTES);
      return text === null ? null : parse(JSON.parse(text));
    } catch (error) {
      if (error instanceof SyntaxError || hasCode(error, 'FORMAT')) return null;
      throw error;
    }
  }

  async #write(name: string, value: unknown): Promise<void> {
    await writeFileAtomic(join(this.directory, name), recordText(value), this.#temporaryRecord(name));
  }

  async #note(name: string, value: unknown): Promise<void> {
    await writeFileQuickly(join(this.directory, name), recordText(value), this.#temporaryRecord(name));
  }

  #temporaryRecord(name: string): string {
    return this.temporaryPath(`${name.replaceAll('/', '-')}.record`);
  }
}

const CHANNELS_FILE = 'channels.json';

const NO_SETTINGS: MirrorSettings = {
  baseUrl: null,
  deltas: null,
  compressDeltas: false,
  bestBeforeMs: null,
  keysDir: null,
  lifetimes: {},
};

/** Far above any real record; puavo-conf is the largest part, with some hundred definitions. */
const MAX_RECORD_BYTES = 64 << 20;

function recordText(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
