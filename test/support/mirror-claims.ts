import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What one index says of one file. */
interface Claim {
  /** The index that says it. */
  readonly source: string;
  /** The file, relative to the mirror. */
  readonly path: string;
  readonly kind: 'size' | 'sha256' | 'sha512' | 'cksum';
  readonly value: string;
}

/** The part of a meta file that claims something, as Puavo's clients read it. */
interface NamedFile {
  readonly filename: string;
  readonly size: number;
  readonly cksum: string;
  readonly sha256: string;
  readonly sha512: string;
}
type NamedDelta = NamedFile & { readonly zst?: NamedFile };
type MetaFile = Record<string, { readonly images: readonly (NamedFile & { readonly diffs: readonly NamedDelta[] })[] }>;

/** What an independent reader finds in a mirror. */
export interface MirrorFindings {
  /** One line for each claim that the bytes on disk do not keep; an index that cannot be read throws. */
  readonly broken: readonly string[];
  /** The sha256 of every file that an index names, by path relative to the mirror. */
  readonly named: ReadonlyMap<string, string>;
}

/**
 * Compares all that the meta files, CKSUMS and SHA256SUMS of a mirror say of its files with the files' bytes. Shares no
 * code with the program: JSON.parse, split, node:crypto and the tool cksum of coreutils, and each file in memory.
 */
export function readClaims(mirror: string): MirrorFindings {
  const claims = [...metaClaims(mirror), ...cksumClaims(mirror), ...sha256SumsClaims(mirror)];
  const named = new Map<string, string>();
  const facts = new Map<string, Record<Claim['kind'], string> | undefined>();
  for (const { path } of claims) {
    if (!facts.has(path)) facts.set(path, factsOf(join(mirror, path)));
    named.set(path, facts.get(path)?.sha256 ?? 'missing');
  }
  const broken = claims.flatMap(({ source, path, kind, value }) => {
    const found = facts.get(path)?.[kind] ?? 'no such file';
    return found === value ? [] : [`${source}: ${path}: ${kind}: expected ${value}, found ${found}`];
  });
  return { broken, named };
}

function metaClaims(mirror: string): Claim[] {
  return filesBelow(join(mirror, 'meta')).flatMap((name) => {
    const source = `meta/${name}`;
    const meta = JSON.parse(readFileSync(join(mirror, source), 'utf8')) as MetaFile;
    const images = Object.values(meta).flatMap((series) => series.images);
    const deltas = images.flatMap((image) => image.diffs).flatMap((delta) => [delta, delta.zst ?? []].flat());
    return [
      ...images.flatMap((image) => claimsOf(source, image.filename, image)),
      ...deltas.flatMap((delta) => claimsOf(source, `rdiffs/${delta.filename}`, delta)),
    ];
  });
}

function claimsOf(source: string, path: string, file: NamedFile): Claim[] {
  return [
    { source, path, kind: 'size', value: String(file.size) },
    { source, path, kind: 'cksum', value: file.cksum },
    { source, path, kind: 'sha256', value: file.sha256 },
    { source, path, kind: 'sha512', value: file.sha512 },
  ];
}

/** Lines of `crc size name`, the name without its directory. */
function cksumClaims(mirror: string): Claim[] {
  return linesOf(join(mirror, 'CKSUMS')).flatMap((line) => {
    const [crc = '', size = '', name = ''] = line.split(' ');
    const path = /\.rdiff(\.zst)?$/.test(name) ? `rdiffs/${name}` : name;
    return [
      { source: 'CKSUMS', path, kind: 'cksum' as const, value: crc },
      { source: 'CKSUMS', path, kind: 'size' as const, value: size },
    ];
  });
}

/** Lines of `hex  path`, with two blanks. */
function sha256SumsClaims(mirror: string): Claim[] {
  return linesOf(join(mirror, 'SHA256SUMS')).map((line) => {
    const [value = '', path = ''] = line.split('  ');
    return { source: 'SHA256SUMS', path, kind: 'sha256', value };
  });
}

function factsOf(path: string): Record<Claim['kind'], string> | undefined {
  if (!existsSync(path)) return undefined;
  const bytes = readFileSync(path);
  return {
    size: String(statSync(path).size),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    sha512: createHash('sha512').update(bytes).digest('hex'),
    cksum: execFileSync('cksum', { input: bytes, encoding: 'utf8' }).split(' ')[0] ?? '',
  };
}

function filesBelow(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function linesOf(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
}
