import { hasCode } from '../../errors.js';
import { readTextFile, writeFileAtomic } from '../../io/atomic-file.js';
import { type FileIdentity, parseFileIdentity } from '../../io/file-identity.js';
import {
  type ImageVersion,
  isImageVersion,
  isSeriesName,
  isSha256Hex,
  type SeriesName,
  SHA256_FORM,
  type Sha256Hex,
  VERSION_FORM,
} from '../../metadata/brands.js';
import { classifyImageName } from '../../metadata/image-name.js';
import { type JsonNode, jsonMember, jsonMembers, jsonString, parseJson, wrongJson } from '../../metadata/json-node.js';
import type { PrivateDirectory } from './private-directory.js';

/** What is known of an image file from when its bytes were last read, or made. */
export interface ImageRecord {
  readonly series: SeriesName;
  readonly version: ImageVersion;
  /** Of the bytes. */
  readonly sha256: Sha256Hex;
  /** What the mirror said that it should be. */
  readonly publishedSha256: Sha256Hex;
  readonly state: FileIdentity;
}

/** Whether the bytes were those that the mirror told of. */
export function isWhole({ sha256, publishedSha256 }: ImageRecord): boolean {
  return sha256 === publishedSha256;
}

/**
 * Whether nothing has happened to the file since. The device number is left out: file systems without a disk of their
 * own get another one at each boot.
 */
export function isAsRecorded({ state }: ImageRecord, now: FileIdentity): boolean {
  return (
    state.sizeBytes === now.sizeBytes &&
    state.mtimeNs === now.mtimeNs &&
    state.ctimeNs === now.ctimeNs &&
    state.inode === now.inode
  );
}

/**
 * `images.json`: the records of a device's images by file name. A file that is lost or damaged costs the time of
 * reading the images again.
 */
export class ImageRecords {
  /** Null where nothing is saved. */
  readonly #place: PrivateDirectory | null;
  #records: Map<string, ImageRecord>;

  private constructor(place: PrivateDirectory | null, records: Map<string, ImageRecord>) {
    this.#place = place;
    this.#records = records;
  }

  static async open(place: PrivateDirectory): Promise<ImageRecords> {
    return new ImageRecords(place, await readRecords(place.imagesPath));
  }

  /** Records whose changes are forgotten with this object. */
  static async openUnsaved(place: PrivateDirectory): Promise<ImageRecords> {
    return new ImageRecords(null, await readRecords(place.imagesPath));
  }

  get(fileName: string): ImageRecord | undefined {
    return this.#records.get(fileName);
  }

  entries(): readonly (readonly [fileName: string, record: ImageRecord])[] {
    return [...this.#records];
  }

  /** Takes over some records, forgets those that are null, and writes the file unless nothing is saved. */
  async change(changes: ReadonlyMap<string, ImageRecord | null>): Promise<void> {
    if (changes.size === 0) return;
    const records = new Map(this.#records);
    for (const [fileName, record] of changes) {
      if (record === null) records.delete(fileName);
      else records.set(fileName, record);
    }
    if (this.#place !== null) {
      const text = `${JSON.stringify(Object.fromEntries(records))}\n`;
      await writeFileAtomic(this.#place.imagesPath, text, this.#place.temporaryPath('images.json'));
    }
    this.#records = records;
  }
}

const MAX_BYTES = 4 << 20;
const MAX_RECORDS = 10_000;

async function readRecords(path: string): Promise<Map<string, ImageRecord>> {
  try {
    const text = await readTextFile(path, MAX_BYTES);
    return text === null ? new Map() : parseRecords(text, path);
  } catch (error) {
    if (hasCode(error, 'FORMAT')) return new Map();
    throw error;
  }
}

function parseRecords(text: string, path: string): Map<string, ImageRecord> {
  const members = jsonMembers(parseJson(text, { file: path, code: 'FORMAT' }), MAX_RECORDS);
  const entries = [...members].map(([fileName, node]) => {
    if (classifyImageName(fileName).kind !== 'image') throw wrongJson(node, 'the name of an image', 'another');
    return [fileName, parseRecord(node)] as const;
  });
  return new Map(entries);
}

function parseRecord(node: JsonNode): ImageRecord {
  const state = jsonMember(node, 'state');
  const identity = parseFileIdentity(state.value);
  if (identity === null) throw wrongJson(state, 'the state of a file');
  return {
    series: jsonString(jsonMember(node, 'series'), 'the name of a series', isSeriesName),
    version: jsonString(jsonMember(node, 'version'), VERSION_FORM, isImageVersion),
    sha256: jsonString(jsonMember(node, 'sha256'), SHA256_FORM, isSha256Hex),
    publishedSha256: jsonString(jsonMember(node, 'publishedSha256'), SHA256_FORM, isSha256Hex),
    state: identity,
  };
}
