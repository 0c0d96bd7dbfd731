import { UpdateRepositoryError } from '../errors.js';

/** Reads a whole number of at least 1, such as a number of workers. Throws USAGE for anything else. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && Number.isSafeInteger(count)) return count;
  throw new UpdateRepositoryError('USAGE', `expected a whole number from 1 on, found '${text}'`);
}

/** Reads a decimal number above 0, such as the largest share of an image that a delta may have. Throws USAGE. */
export function parseRatio(text: string): number {
  const ratio = Number(text);
  if (/^\d*\.?\d+$/.test(text) && ratio > 0) return ratio;
  throw new UpdateRepositoryError('USAGE', `expected a number above 0 such as 0.8, found '${text}'`);
}
