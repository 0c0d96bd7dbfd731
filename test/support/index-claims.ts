import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';

/** What one index says of one file. */
export interface Claim {
  /** The index that says it. */
  readonly source: string;
  /** The file, relative to the mirror. */
  readonly path: string;
  readonly kind: 'size' | 'sha256' | 'sha512' | 'cksum';
  readonly value: string;
}

/** What can be said of a file. */
export type Facts = Readonly<Record<Claim['kind'], string>>;

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

/** Of a meta file, by its path and its text; shares no code with the program. Throws where it is no JSON. */
export function metaClaims(source: string, text: string): Claim[] {
  const images = Object.values(JSON.parse(text) as MetaFile).flatMap((series) => series.images);
  const deltas = images.flatMap((image) => image.diffs).flatMap((delta) => [delta, delta.zst ?? []].flat());
  return [
    ...images.flatMap((image) => claimsOf(source, image.filename, image)),
    ...deltas.flatMap((delta) => claimsOf(source, `rdiffs/${delta.filename}`, delta)),
  ];
}

/** Of lines `crc size name`, the name without its directory. */
export function cksumClaims(text: string): Claim[] {
  return linesOf(text).flatMap((line) => {
    const [crc = '', size = '', name = ''] = line.split(' ');
    const path = /\.rdiff(\.zst)?$/.test(name) ? `rdiffs/${name}` : name;
    return [
      { source: 'CKSUMS', path, kind: 'cksum' as const, value: crc },
      { source: 'CKSUMS', path, kind: 'size' as const, value: size },
    ];
  });
}

/** Of lines `hex  name`, with two blanks, the name relative to the directory of the list `source`. */
export function sha256SumsClaims(source: string, text: string): Claim[] {
  return linesOf(text).map((line) => {
    const [value = '', name = ''] = line.split('  ');
    return { source, path: source.replace('SHA256SUMS', name), kind: 'sha256', value };
  });
}

/** What is true of a file with these bytes, by node:crypto and the tool cksum of coreutils. */
export function factsOf(bytes: Buffer): Facts {
  return {
    size: String(bytes.length),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    sha512: createHash('sha512').update(bytes).digest('hex'),
    cksum: execFileSync('cksum', { input: bytes, encoding: 'utf8' }).split(' ')[0] ?? '',
  };
}

/** A claim that is not kept, in one line; null for one that is. Without `facts` there is no such file. */
export function brokenClaim({ source, path, kind, value }: Claim, facts: Facts | undefined): string | null {
  const found = facts?.[kind] ?? 'no such file';
  return found === value ? null : `${source}: ${path}: ${kind}: expected ${value}, found ${found}`;
}

function claimsOf(source: string, path: string, file: NamedFile): Claim[] {
  return [
    { source, path, kind: 'size', value: String(file.size) },
    { source, path, kind: 'cksum', value: file.cksum },
    { source, path, kind: 'sha256', value: file.sha256 },
    { source, path, kind: 'sha512', value: file.sha512 },
  ];
}

function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -1);
}
