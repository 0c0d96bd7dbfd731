import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  brokenClaim,
  type Claim,
  cksumClaims,
  type Facts,
  factsOf,
  metaClaims,
  sha256SumsClaims,
} from './index-claims.js';

/** What an independent reader finds in a mirror. */
export interface MirrorFindings {
  /** One line for each claim that the bytes on disk do not keep; an index that cannot be read throws. */
  readonly broken: readonly string[];
  /** The sha256 of every file that an index names, by path relative to the mirror. */
  readonly named: ReadonlyMap<string, string>;
}

/**
 * Compares all that the meta files, CKSUMS and both SHA256SUMS of a mirror say of its files with the files' bytes. Shares no
 * code with the program, and has each file in memory.
 */
export function readClaims(mirror: string): MirrorFindings {
  const claims = claimsIn(mirror);
  const named = new Map<string, string>();
  const facts = new Map<string, Facts | undefined>();
  for (const { path } of claims) {
    const place = join(mirror, path);
    if (!facts.has(path)) {
      const bytes = readIfThere(place);
      facts.set(path, bytes === undefined ? undefined : factsOf(bytes));
    }
    named.set(path, facts.get(path)?.sha256 ?? 'missing');
  }
  const broken = claims.flatMap((claim) => brokenClaim(claim, facts.get(claim.path)) ?? []);
  return { broken, named };
}

function claimsIn(mirror: string): Claim[] {
  const textOf = (path: string) => readIfThere(join(mirror, path))?.toString() ?? '';
  const names = existsSync(join(mirror, 'meta')) ? readdirSync(join(mirror, 'meta')) : [];
  const metas = names.filter((name) => !name.endsWith('.asc')).map((name) => `meta/${name}`);
  return [
    ...metas.flatMap((path) => metaClaimsOf(path, readIfThere(join(mirror, path)))),
    ...cksumClaims(textOf('CKSUMS')),
    ...['SHA256SUMS', 'rdiffs/SHA256SUMS'].flatMap((path) => sha256SumsClaims(path, textOf(path))),
  ];
}

/** None where the file was withdrawn after it was listed. */
function metaClaimsOf(path: string, json: Buffer | undefined): Claim[] {
  return json === undefined ? [] : metaClaims(path, json.toString());
}

/** Undefined where there is nothing, maybe no more: somebody may be publishing. A link to nothing throws. */
function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    throw error;
  }
}
