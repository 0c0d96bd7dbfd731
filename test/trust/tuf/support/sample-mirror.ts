import type { RepositoryContents } from '../../../../src/trust/tuf/contents.js';
import { METADATA_DIR, metadataPath, type TargetsDocument } from '../../../../src/trust/tuf/documents.js';
import { type Drafts, NO_DRAFTS } from '../../../../src/trust/tuf/drafts.js';
import { firstDrafts } from '../../../../src/trust/tuf/key-changes.js';
import { DEFAULT_LIFETIMES, type Lifetimes } from '../../../../src/trust/tuf/lifetimes.js';
import { type NextRepository, nextRepository } from '../../../../src/trust/tuf/next-repository.js';
import { renderEnvelope } from '../../../../src/trust/tuf/parse-document.js';
import {
  claimOf,
  delegatedSigners,
  type ReadMetadata,
  type Repository,
  readRepository,
  topSigners,
} from '../../../../src/trust/tuf/repository.js';
import { signWith } from '../../../../src/trust/tuf/signatures.js';
import type { SigningKey } from '../../../../src/trust/tuf/signing-key.js';
import { allKeys, assignmentsOf, type SampleKeys, sampleKeys } from './sample-keys.js';
import { sampleBytes, samplePaths } from './sample-series.js';

export const NOW = new Date('2026-03-01T12:00:00.250Z');

export function daysLater(days: number): Date {
  return new Date(NOW.getTime() + days * 86_400_000);
}

export interface SampleStep {
  readonly contents?: RepositoryContents | null;
  readonly drafts?: Drafts;
  readonly keys?: readonly SigningKey[];
  readonly now?: Date;
  readonly lifetimes?: Lifetimes;
}

/** A mirror in memory whose metadata goes through the same reader and the same stages as one on a disk. */
export class SampleMirror {
  /** By path. */
  readonly files = new Map<string, Buffer>();
  readonly keys: SampleKeys;
  /** The paths of the files of each step, stage by stage. */
  readonly written: string[][][] = [];

  /** A new repository of these contents, all keys at hand. */
  static async make(contents: RepositoryContents, keys: SampleKeys = sampleKeys()): Promise<SampleMirror> {
    const mirror = new SampleMirror(keys);
    const drafts = firstDrafts(assignmentsOf(keys), contents, { lifetimes: DEFAULT_LIFETIMES, now: NOW });
    await mirror.step({ contents, drafts });
    return mirror;
  }

  constructor(keys: SampleKeys) {
    this.keys = keys;
  }

  readonly read: ReadMetadata = async (fileName) => this.text(`${METADATA_DIR}/${fileName}`);

  text(path: string): string | null {
    return this.files.get(path)?.toString() ?? null;
  }

  async repository(trustedRoot: string | null = null): Promise<Repository | null> {
    return await readRepository(this.read, trustedRoot);
  }

  /** The same, which has to be there. */
  async current(): Promise<Repository> {
    const repository = await this.repository();
    if (repository === null) throw new Error('the mirror has no metadata');
    return repository;
  }

  /** Reads the state, makes the next one and writes it; null when there is nothing to write. */
  async step({ contents = null, drafts, keys, now, lifetimes }: SampleStep): Promise<NextRepository | null> {
    const next = nextRepository(
      await this.repository(),
      { contents, drafts: drafts ?? NO_DRAFTS, online: assignmentsOf(this.keys) },
      { keys: keys ?? allKeys(this.keys), lifetimes: lifetimes ?? DEFAULT_LIFETIMES, now: now ?? NOW },
    );
    for (const path of contents === null ? [] : samplePaths(contents)) this.files.set(path, sampleBytes(path));
    for (const { path, text } of next?.stages.flat() ?? []) this.files.set(path, Buffer.from(text));
    if (next !== null) this.written.push(next.stages.map((stage) => stage.map(({ path }) => path)));
    return next;
  }

  /** Has a delegated role say something else, signed by its key and named by snapshot and timestamp. */
  async forge(role: string, change: (signed: TargetsDocument) => TargetsDocument): Promise<void> {
    const { roles, targets, root, snapshot, timestamp } = await this.current();
    const before = roles.get(role);
    const delegated = targets.signed.delegations?.roles.find(({ name }) => name === role);
    if (before === undefined || delegated === undefined) throw new Error(`no role ${role}`);
    const version = before.signed.version + 1;
    const forged = { ...change(before.signed), version };
    const keys = allKeys(this.keys);
    const text = renderEnvelope(signWith(forged, delegatedSigners(targets.signed, delegated), keys));
    const meta = { ...snapshot.signed.meta, [`${role}.json`]: claimOf(text, version) };
    const named = signWith({ ...snapshot.signed, meta }, topSigners(root.signed, 'snapshot'), keys);
    const claim = claimOf(renderEnvelope(named), named.signed.version);
    const stamped = { ...timestamp.signed, version: timestamp.signed.version + 1, meta: { 'snapshot.json': claim } };
    this.files.set(metadataPath(role, version), Buffer.from(text));
    this.files.set(metadataPath('snapshot', named.signed.version), Buffer.from(renderEnvelope(named)));
    const last = renderEnvelope(signWith(stamped, topSigners(root.signed, 'timestamp'), keys));
    this.files.set(metadataPath('timestamp', 0), Buffer.from(last));
  }
}
