export { type ErrorCode, type ErrorData, type SerializedError, UpdateRepositoryError } from './errors.js';
export type * from './events.js';
