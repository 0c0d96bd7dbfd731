import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import {
  brokenClaim,
  type Claim,
  cksumClaims,
  type Facts,
  factsOf,
  metaClaims,
  sha256SumsClaims,
} from '../../support/index-claims.js';

const FETCHES = 4;

/** Fetches an object as clients do; null where there is none. */
export type Fetch = (path: string) => Promise<Buffer | null>;

/** What a reader has met. */
export interface Seen {
  /** Rounds in which every index was whole, and all that it names was fetched. */
  rounds: number;
  /** Files that were fetched because an index names them. */
  files: number;
  /** Different sets of indexes. */
  readonly generations: Set<string>;
  /** What an index names, or what was there before, and is not there. */
  readonly missing: string[];
  /** What an index says of a file, and is not so. */
  readonly wrong: string[];
  /** Indexes of which only a part came. */
  torn: number;
  /** Meta files that were gone when index.json, read again, did not name them any more either. */
  withdrawn: number;
}

/** The part of index.json that leads on. */
interface SeriesList {
  readonly series: readonly {
    readonly meta: string;
    readonly newest: { readonly filename: string; readonly size: number; readonly sha256: string };
  }[];
}

interface Index {
  readonly text: string;
  readonly claims: readonly Claim[];
}

/** Reads a mirror over and over, and holds each index to its word. Shares no code with the program. */
export class Reader {
  readonly seen: Seen = { rounds: 0, files: 0, generations: new Set(), missing: [], wrong: [], torn: 0, withdrawn: 0 };
  readonly #fetch: Fetch;
  readonly #there = new Set<string>();
  /** By sha256: the other digests of bytes that were met before. */
  readonly #facts = new Map<string, Facts>();

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  /** Reads round after round until `work` has ended, and the last round to its end. */
  async readWhile<T>(work: Promise<T>): Promise<T> {
    let running = true;
    const ended = work.finally(() => {
      running = false;
    });
    while (running) await this.#round();
    return await ended;
  }

  /** What all indexes say now, without looking whether it is so. */
  async claims(): Promise<Claim[]> {
    const claims: Claim[] = [];
    for await (const { claims: more } of this.#indexes()) claims.push(...more);
    return claims;
  }

  /** Fetches what the claims are about, each file once and some at a time, and compares. */
  async check(claims: readonly Claim[]): Promise<void> {
    const paths = [...new Set(claims.map(({ path }) => path))];
    const checkNext = async (): Promise<void> => {
      for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
        const about = claims.filter((claim) => claim.path === path);
        await this.#checkFile(path, about);
      }
    };
    await Promise.all(Array.from({ length: FETCHES }, checkNext));
  }

  async #checkFile(path: string, claims: readonly Claim[]): Promise<void> {
    const bytes = await this.#fetch(path);
    this.seen.files += 1;
    if (bytes === null) this.seen.missing.push(`${claims[0]?.source}: ${path}`);
    else this.seen.wrong.push(...claims.flatMap((claim) => brokenClaim(claim, this.#factsOf(bytes)) ?? []));
  }

  async #round(): Promise<void> {
    const tornBefore = this.seen.torn;
    const texts = createHash('sha256');
    let named = 0;
    for await (const { text, claims } of this.#indexes()) {
      texts.update(text);
      named += claims.length;
      await this.check(claims);
    }
    if (named === 0 || this.seen.torn > tornBefore) return;
    this.seen.rounds += 1;
    this.seen.generations.add(texts.digest('hex'));
  }

  /** Each index, so that whoever wants what it names may ask for it before the next one is read. */
  async *#indexes(): AsyncGenerator<Index> {
    for (const meta of await this.#metas()) {
      const text = await this.#text(meta);
      if (text !== null) yield* this.#index(text, () => metaClaims(meta, text));
      else if ((await this.#metas()).includes(meta)) this.seen.missing.push(`index.json: ${meta}`);
      else this.seen.withdrawn += 1;
    }
    for (const [path, parse] of [
      ['CKSUMS', (text: string) => cksumClaims(wholeLines(text))],
      ['SHA256SUMS', (text: string) => sha256SumsClaims('SHA256SUMS', wholeLines(text))],
      ['index.json', newestClaims],
    ] as const) {
      const text = await this.#lasting(path);
      if (text !== null) yield* this.#index(text, () => parse(text));
    }
    const path = 'rdiffs/SHA256SUMS';
    const text = await this.#text(path);
    if (text !== null) yield* this.#index(text, () => sha256SumsClaims(path, wholeLines(text)));
  }

  *#index(text: string, parse: () => Claim[]): Generator<Index> {
    const claims = this.#parsed(parse);
    if (claims !== null) yield { text, claims };
  }

  async #metas(): Promise<string[]> {
    const text = await this.#lasting('index.json');
    return (text === null ? null : this.#parsed(() => seriesIn(text).map(({ meta }) => meta))) ?? [];
  }

  /** Null where only a part came. */
  #parsed<T>(parse: () => T): T | null {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.seen.torn += 1;
      return null;
    }
  }

  /** An index that never goes once it is there. */
  async #lasting(path: string): Promise<string | null> {
    const text = await this.#text(path);
    if (text !== null) this.#there.add(path);
    else if (this.#there.has(path)) this.seen.missing.push(`${path}, which was there`);
    return text;
  }

  async #text(path: string): Promise<string | null> {
    return (await this.#fetch(path))?.toString('utf8') ?? null;
  }

  #factsOf(bytes: Buffer): Facts {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const facts = this.#facts.get(sha256) ?? factsOf(bytes);
    this.#facts.set(sha256, facts);
    return facts;
  }
}

/** Over HTTP, as anybody may; any answer but 200 and 404 throws. A connection each: a server may close one that is idle. */
export function overHttp(root: string): Fetch {
  const dispatcher = new Agent({ pipelining: 0 });
  return async (path) => {
    const { statusCode, body } = await request(`${root}/${path}`, { dispatcher, signal: AbortSignal.timeout(60_000) });
    const bytes = Buffer.from(await body.arrayBuffer());
    if (statusCode === 404) return null;
    if (statusCode !== 200) throw new Error(`${root}/${path}: expected status 200 or 404, found ${statusCode}`);
    return bytes;
  };
}

/** From a directory of this machine. */
export function fromDirectory(root: string): Fetch {
  return async (path) => {
    try {
      return await readFile(join(root, path));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
  };
}

/** A list of lines, of which each ends. */
function wholeLines(text: string): string {
  if (text.endsWith('\n')) return text;
  throw new SyntaxError('the last line has no end');
}

function seriesIn(text: string): SeriesList['series'] {
  return (JSON.parse(text) as SeriesList).series;
}

function newestClaims(text: string): Claim[] {
  return seriesIn(text).flatMap(({ newest: { filename, size, sha256 } }) => [
    { source: 'index.json', path: filename, kind: 'size' as const, value: String(size) },
    { source: 'index.json', path: filename, kind: 'sha256' as const, value: sha256 },
  ]);
}
