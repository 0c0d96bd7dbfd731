export { type Policy, type PolicyChoices, policyOf } from './client/policy/policy.js';
export { rollBackDevice } from './client/roll-back-device.js';
export type { DevicePlace, MirrorSource, SessionOptions } from './client/session.js';
export type { TrustWish } from './client/trust/wish.js';
export { checkDevice, planDevice, type UpdateOptions, updateDevice } from './client/update.js';
export { type ApplyToFileRequest, applyDeltaToFile } from './delta/apply.js';
export { type ComposeRequest, composeDeltas } from './delta/compose.js';
export { deltaMemoryBytes, generateDelta } from './delta/generate.js';
export {
  type ErrorCode,
  type ErrorData,
  type SerializedError,
  UpdateRepositoryError,
} from './errors.js';
export type * from './events.js';
export { type BuildOptions, buildMirror } from './images/build.js';
export {
  type ChannelOptions,
  listChannels,
  removeChannel,
  type SetChannelOptions,
  setChannel,
} from './images/channels.js';
export { type DeltaPolicy, formatDeltaPolicy, parseDeltaPolicy } from './images/delta-policy.js';
export { type InspectedFile, inspectFile } from './images/inspect.js';
export type { ListSigning } from './images/list-signatures.js';
export {
  type KeyWork,
  type MirrorKeys,
  renewKeys,
  revokeKey,
  rotateKey,
  signDraftDirectory,
  startMetadata,
} from './images/mirror-keys.js';
export { type PruneOptions, pruneMirror } from './images/prune.js';
export { type RefreshOptions, refreshMirror } from './images/refresh.js';
export { type VerifyOptions, verifyMirror } from './images/verify.js';
export { type MirrorIndex, parseIndexJson } from './metadata/index-json.js';
export { type MetaDiff, type MetaImage, type MetaZst, parseSeriesMeta, type SeriesMeta } from './metadata/meta.js';
export { findSigner, type SignerPlace } from './trust/openpgp/open-signer.js';
export type { LockedSigner, PublicKey, SignatureForm, Signer } from './trust/openpgp/signer.js';
export { Passphrase } from './trust/passphrase.js';
export { KeyRing } from './trust/tuf/key-ring.js';
export { DEFAULT_LIFETIMES } from './trust/tuf/lifetimes.js';
export { type KeyPlan, makeKeys } from './trust/tuf/make-keys.js';
