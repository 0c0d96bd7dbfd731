import { UpdateRepositoryError } from '../errors.js';
import { describeValue } from './describe-value.js';
import { findNameFault } from './safe-name.js';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** The key of a series in its meta file and the base name of that file: fit to be a file name. */
export type SeriesName = Branded<'SeriesName'>;
/** The 14 digits of an image's stamp. Versions are ordered as strings. */
export type ImageVersion = Branded<'ImageVersion'>;
/** 64 lower-case hexadecimal digits. */
export type Sha256Hex = Branded<'Sha256Hex'>;
/** 128 lower-case hexadecimal digits. */
export type Sha512Hex = Branded<'Sha512Hex'>;

/** Room for the `.json` of a meta file and for what a client puts behind that while it downloads. */
const MAX_SERIES_NAME_BYTES = 200;

/** `where` opens the message of the NAME error: the file, and the place in it where there is one. */
export function parseSeriesName(text: string, where: string): SeriesName {
  if (isSeriesName(text)) return text;
  const fault = findNameFault(text) ?? `more than ${MAX_SERIES_NAME_BYTES} bytes`;
  throw new UpdateRepositoryError(
    'NAME',
    `${where}: expected a series name that can be a file name, found ${fault} in ${describeValue(text)}`,
  );
}

/** Throws FORMAT, its message opened by `where`. */
export function parseImageVersion(text: string, where: string): ImageVersion {
  if (isImageVersion(text)) return text;
  throw unexpected(where, VERSION_FORM, text);
}

/** Throws FORMAT, its message opened by `where`. */
export function parseSha256Hex(text: string, where: string): Sha256Hex {
  if (isSha256Hex(text)) return text;
  throw unexpected(where, SHA256_FORM, text);
}

/** Throws FORMAT, its message opened by `where`. */
export function parseSha512Hex(text: string, where: string): Sha512Hex {
  if (isSha512Hex(text)) return text;
  throw unexpected(where, SHA512_FORM, text);
}

export function isSeriesName(text: string): text is SeriesName {
  return findNameFault(text) === null && Buffer.byteLength(text) <= MAX_SERIES_NAME_BYTES;
}

/** How a message calls the form of an {@link ImageVersion}. */
export const VERSION_FORM = 'a version of 14 digits';

export function isImageVersion(text: string): text is ImageVersion {
  return /^[0-9]{14}$/.test(text);
}

/** How a message calls the form of a {@link Sha256Hex}. */
export const SHA256_FORM = '64 lower-case hex digits';

export function isSha256Hex(text: string): text is Sha256Hex {
  return /^[0-9a-f]{64}$/.test(text);
}

/** How a message calls the form of a {@link Sha512Hex}. */
export const SHA512_FORM = '128 lower-case hex digits';

export function isSha512Hex(text: string): text is Sha512Hex {
  return /^[0-9a-f]{128}$/.test(text);
}

function unexpected(where: string, expected: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('FORMAT', `${where}: expected ${expected}, found ${describeValue(found)}`);
}
