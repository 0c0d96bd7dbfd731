import { metadataFileName, type RootDocument, type TargetsDocument, TOP_ROLES } from './documents.js';
import type { Drafts } from './drafts.js';
import type { Repository } from './repository.js';

/** What a draft says that whoever signs it is to know. */
export interface DraftChange {
  /** The name of the draft. */
  readonly file: string;
  readonly message: string;
}

/** Who has to sign for a role. */
interface RoleKeys {
  readonly keyids: readonly string[];
  readonly threshold: number;
}

/**
 * What drafts change: of a root the roles whose keys are others than in the root before, and of targets all to whom they
 * delegate. Whoever can write the drafts can have anything in them signed that nobody looks at.
 */
export function changesIn({ root, targets }: Drafts, before: Pick<Repository, 'root'> | null): DraftChange[] {
  return [
    ...(root === null ? [] : linesOf('root', root.signed, rootChanges(root.signed, before?.root.signed ?? null))),
    ...(targets === null ? [] : linesOf('targets', targets.signed, delegationsOf(targets.signed))),
  ];
}

function linesOf(
  role: 'root' | 'targets',
  { version, expires }: RootDocument | TargetsDocument,
  messages: readonly string[],
): DraftChange[] {
  const file = metadataFileName(role, version);
  return [`good until ${expires}`, ...messages].map((message) => ({ file, message }));
}

function rootChanges(root: RootDocument, before: RootDocument | null): string[] {
  return TOP_ROLES.flatMap((role) => {
    const now = describe(root.roles[role]);
    const then = before === null ? 'not known here' : describe(before.roles[role]);
    return now === then ? [] : [`${role} is to be signed by ${now}; before: ${then}`];
  });
}

function delegationsOf({ delegations }: TargetsDocument): string[] {
  return (delegations?.roles ?? []).map((role) => `${role.name} is to be signed by ${describe(role)}`);
}

function describe({ keyids, threshold }: RoleKeys): string {
  return `${threshold} of ${[...keyids].sort().join(', ')}`;
}
