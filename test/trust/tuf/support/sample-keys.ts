import type { RoleAssignment } from '../../../../src/trust/tuf/delegations.js';
import type { Assignments } from '../../../../src/trust/tuf/key-changes.js';
import { SigningKey } from '../../../../src/trust/tuf/signing-key.js';

/** Keys of a repository: two of three root keys have to sign, for each other role its only one. */
export interface SampleKeys {
  readonly root: readonly [SigningKey, SigningKey, SigningKey];
  readonly targets: SigningKey;
  readonly snapshot: SigningKey;
  readonly timestamp: SigningKey;
  /** For all series and the mirror's indexes. */
  readonly online: SigningKey;
}

/** New keys of both kinds. */
export function sampleKeys(): SampleKeys {
  const ed25519 = () => SigningKey.generate('ed25519');
  return {
    root: [ed25519(), SigningKey.generate('ecdsa'), ed25519()],
    targets: SigningKey.generate('ecdsa'),
    snapshot: ed25519(),
    timestamp: SigningKey.generate('ecdsa'),
    online: ed25519(),
  };
}

export function allKeys({ root, ...others }: SampleKeys): SigningKey[] {
  return [...root, ...Object.values(others)];
}

/** Those that are on the machine that builds. */
export function onlineKeys({ snapshot, timestamp, online }: SampleKeys): SigningKey[] {
  return [snapshot, timestamp, online];
}

export function assignmentsOf({ root, targets, snapshot, timestamp, online }: SampleKeys): Assignments {
  const one = (key: SigningKey): RoleAssignment => ({ keys: [key.publicKey], threshold: 1 });
  return {
    root: { keys: root.map(({ publicKey }) => publicKey), threshold: 2 },
    targets: one(targets),
    snapshot: one(snapshot),
    timestamp: one(timestamp),
    series: one(online),
    mirror: one(online),
  };
}
