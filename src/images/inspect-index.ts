import type { ChecksumsInspection, IndexInspection, Inspection, MetaInspection } from '../inspection.js';
import { readTextFile } from '../io/atomic-file.js';
import { parseCksums, parseSha256Sums } from '../metadata/checksum-lists.js';
import { parseIndexJson } from '../metadata/index-json.js';
import { jsonMembers, parseJson } from '../metadata/json-node.js';
import { parseSeriesMeta } from '../metadata/meta.js';
import { bestBeforeOf } from '../trust/openpgp/sysupdate-manifest.js';
import { MAX_INDEX_BYTES } from './disk-indexes.js';

const MAX_MEMBERS = 10_000;

/**
 * Reads one of the indexes of a mirror; `start` are its first bytes, by which it is told which one. Null for anything
 * else.
 *
 * @throws FORMAT for an index that is damaged or larger than 64 MiB, IO
 */
export async function inspectIndexText(path: string, start: Uint8Array): Promise<Inspection | null> {
  const inspect = inspectorFor(Buffer.from(start).toString('latin1'));
  const text = inspect === null ? null : await readTextFile(path, MAX_INDEX_BYTES);
  return inspect === null || text === null ? null : inspect(text, path);
}

function inspectorFor(start: string): ((text: string, path: string) => Inspection) | null {
  if (/^\s*\{/.test(start)) return inspectJson;
  if (/^[0-9a-f]{64} [ *]/.test(start)) return inspectSha256Sums;
  if (/^[0-9]+ [0-9]+ [^ ]/.test(start)) return inspectCksums;
  return null;
}

/** index.json has a member `format`; a meta file has its series as its one member. */
function inspectJson(text: string, path: string): MetaInspection | IndexInspection {
  const members = jsonMembers(parseJson(text, { file: path, code: 'FORMAT' }), MAX_MEMBERS);
  return [...members].some(([name]) => name === 'format') ? inspectIndexJson(text, path) : inspectMeta(text, path);
}

function inspectIndexJson(text: string, path: string): IndexInspection {
  const series = parseIndexJson(text, path).series.map(({ name, images, newest }) => ({
    name,
    images,
    newest: newest?.version ?? null,
  }));
  return { kind: 'index', series };
}

function inspectMeta(text: string, path: string): MetaInspection {
  const meta = parseSeriesMeta(text, path);
  const images = meta.images.map(({ filename, version, size, diffs }) => ({
    filename,
    version,
    sizeBytes: size,
    deltas: diffs.map((diff) => ({ fromVersion: diff.version, sizeBytes: diff.size })),
  }));
  return { kind: 'meta', series: meta.series, images };
}

function inspectSha256Sums(text: string, path: string): ChecksumsInspection {
  const files = parseSha256Sums(text, path).filter((entry) => bestBeforeOf(entry.path) === null);
  return { kind: 'checksums', list: 'SHA256SUMS', files: files.length, totalBytes: null };
}

function inspectCksums(text: string, path: string): ChecksumsInspection {
  const entries = parseCksums(text, path);
  const totalBytes = entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { kind: 'checksums', list: 'CKSUMS', files: entries.length, totalBytes };
}
