import { UpdateRepositoryError } from '../errors.js';

/**
 * The error for an image whose bytes break the format.
 *
 * @param image The image's name, for the message.
 * @param offsetBytes Where in the image file the wrong bytes are, or the start of the block that they were unpacked from.
 */
export function damagedImage(
  image: string,
  offsetBytes: number,
  expected: string,
  found: string,
  cause?: unknown,
): UpdateRepositoryError {
  return new UpdateRepositoryError(
    'FORMAT',
    `${image}: damaged at byte ${offsetBytes}: expected ${expected}, found ${found}`,
    { data: { image, offsetBytes, expected, found }, cause },
  );
}

/**
 * The error for compressed data that its codec cannot unpack; whoever read the data adds the image's name and the
 * block's place ({@link damagedImage}).
 *
 * @param offsetBytes Where in the compressed data the wrong bytes are.
 */
export function damagedData(
  codec: string,
  offsetBytes: number,
  expected: string,
  found: string,
  cause?: unknown,
): UpdateRepositoryError {
  return new UpdateRepositoryError(
    'FORMAT',
    `byte ${offsetBytes} of the ${codec} data: expected ${expected}, found ${found}`,
    { data: { codec, offsetBytes, expected, found }, cause },
  );
}
