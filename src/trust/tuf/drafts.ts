import { UpdateRepositoryError } from '../../errors.js';
import {
  type Envelope,
  type KeyId,
  metadataFileName,
  type RootDocument,
  type TargetsDocument,
  type TopRole,
} from './documents.js';
import { parseEnvelope, renderEnvelope } from './parse-document.js';
import { type Repository, topSigners } from './repository.js';
import { addSignatures, goodSigners, type Signers } from './signatures.js';
import type { MetadataSigner } from './signing-key.js';

/**
 * Metadata of the roles that people sign for, which may lack signatures yet. It is kept outside the mirror until it has
 * them all, and may be carried from one machine to another meanwhile.
 */
export interface Drafts {
  readonly root: Envelope<RootDocument> | null;
  readonly targets: Envelope<TargetsDocument> | null;
}

export const NO_DRAFTS: Drafts = { root: null, targets: null };

/** Signatures that a draft lacks: `missing` of those of these keys. */
export interface MissingSignatures {
  readonly role: 'root' | 'targets';
  readonly missing: number;
  readonly keyids: readonly KeyId[];
}

/** The drafts with the signatures of those of these keys that have a say in them. A good signature that is there stays. */
export function signDrafts(
  drafts: Drafts,
  current: Pick<Repository, 'root'> | null,
  keys: readonly MetadataSigner[],
): Drafts {
  const root = drafts.root && signedBy(drafts.root, keys, rootSigners(drafts.root, current));
  const targetsKeys = [...targetsSigners(drafts, current), ...earlierTargetsSigners(current)];
  const targets = drafts.targets && signedBy(drafts.targets, keys, targetsKeys);
  return { root, targets };
}

/** What drafts lack before they can be published; nothing, when they are complete. */
export function findMissingSignatures(drafts: Drafts, current: Pick<Repository, 'root'> | null): MissingSignatures[] {
  const asked: [Envelope<RootDocument | TargetsDocument> | null, 'root' | 'targets', Signers[]][] = [
    [drafts.root, 'root', drafts.root === null ? [] : rootSigners(drafts.root, current)],
    [drafts.targets, 'targets', drafts.targets === null ? [] : targetsSigners(drafts, current)],
  ];
  return asked.flatMap(([draft, role, all]) => {
    if (draft === null) return [];
    return all.flatMap((signers) => {
      const good = goodSigners(draft, signers);
      const missing = signers.roleKeys.threshold - good.length;
      const keyids = signers.roleKeys.keyids.filter((id) => !good.includes(id));
      return missing > 0 ? [{ role, missing, keyids }] : [];
    });
  });
}

/** Throws CONFIG naming the keys whose signatures are missing, if any are. */
export function checkComplete(drafts: Drafts, current: Pick<Repository, 'root'> | null): void {
  const [first] = findMissingSignatures(drafts, current);
  if (first === undefined) return;
  const { role, missing, keyids } = first;
  const file = metadataFileName(role, drafts[role]?.signed.version ?? 0);
  throw new UpdateRepositoryError(
    'CONFIG',
    `${file}: expected ${missing} more of the signatures of ${keyids.join(', ')}, found none of them`,
    { data: { file, role, missing, keyids }, hint: 'sign it with `key sign` where those keys are' },
  );
}

/** The drafts as files, by name. */
export function renderDrafts({ root, targets }: Drafts): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  if (root !== null) files.set(metadataFileName('root', root.signed.version), renderEnvelope(root));
  if (targets !== null) files.set(metadataFileName('targets', targets.signed.version), renderEnvelope(targets));
  return files;
}

/** Reads files that {@link renderDrafts} made, by name. Throws FORMAT for any other. */
export function parseDrafts(files: ReadonlyMap<string, string>): Drafts {
  let drafts = NO_DRAFTS;
  for (const [file, text] of files) {
    const role = draftRole(file);
    if (drafts[role] !== null) throw notADraft(file, `one draft of ${role}`, 'a second one');
    drafts = { ...drafts, [role]: parseEnvelope(role, text, file) };
    const name = metadataFileName(role, drafts[role]?.signed.version ?? 0);
    if (file !== name) throw notADraft(file, `the name ${name} that its version asks for`, 'another');
  }
  return drafts;
}

function draftRole(file: string): 'root' | 'targets' {
  if (file.endsWith('.root.json')) return 'root';
  if (file.endsWith('.targets.json')) return 'targets';
  throw notADraft(file, 'a draft, <version>.root.json or <version>.targets.json', 'another name');
}

function notADraft(file: string, expected: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('FORMAT', `${file}: expected ${expected}, found ${found}`, { data: { file } });
}

/** A root is signed by the keys that it names, and by those that the root before it names. */
function rootSigners(draft: Envelope<RootDocument>, current: Pick<Repository, 'root'> | null): Signers[] {
  const signers = [topSigners(draft.signed, 'root')];
  return current === null ? signers : [topSigners(current.root.signed, 'root'), ...signers];
}

function targetsSigners({ root }: Drafts, current: Pick<Repository, 'root'> | null): Signers[] {
  const newest = root?.signed ?? current?.root.signed;
  const role: TopRole = 'targets';
  return newest === undefined ? [] : [topSigners(newest, role)];
}

/** Theirs is not asked for: clients that have not seen a new root yet take by it what the draft says. */
function earlierTargetsSigners(current: Pick<Repository, 'root'> | null): Signers[] {
  return current === null ? [] : [topSigners(current.root.signed, 'targets')];
}

function signedBy<Document extends RootDocument | TargetsDocument>(
  draft: Envelope<Document>,
  keys: readonly MetadataSigner[],
  signers: readonly Signers[],
): Envelope<Document> {
  const good = signers.flatMap((one) => goodSigners(draft, one));
  return addSignatures(
    draft,
    keys,
    keyIdsOf(signers).filter((id) => !good.includes(id)),
  );
}

function keyIdsOf(signers: readonly Signers[]): KeyId[] {
  return signers.flatMap(({ roleKeys }) => roleKeys.keyids);
}
