import { createHash } from 'node:crypto';
import { hasCode } from '../../errors.js';
import type { ParseText } from '../download/mirrors.js';
import type { WantedText } from '../download/text-request.js';
import { untrusted } from './faults.js';
import type { MirrorTexts } from './metadata-files.js';
import type { VouchedFile } from './verified-metadata.js';

/**
 * Reads a small file by its copy that never changes.
 *
 * @throws UpdateRepositoryError VERIFICATION where no mirror has the bytes that were signed; what {@link Mirrors.text} throws
 */
export async function hashNamedText<T>(
  mirrors: MirrorTexts,
  { path, maxBytes, sizeBytes, sha256 }: VouchedFile & Pick<WantedText, 'path' | 'maxBytes'>,
  parse: ParseText<T>,
  signal: AbortSignal,
): Promise<T> {
  const tooLong = (file: string) =>
    untrusted(
      'endless-data',
      { file },
      {
        expected: `the ${sizeBytes} bytes that were signed`,
        found: 'more of them',
      },
    );
  const check = (text: string, file: string): T => {
    const found = createHash('sha256').update(text).digest('hex');
    if (found !== sha256) throw untrusted('arbitrary-software', { file }, { expected: `sha256 ${sha256}`, found });
    return parse(text, file);
  };
  try {
    return await mirrors.text({ path, maxBytes: Math.min(maxBytes, sizeBytes), tooLong }, check, signal);
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) throw error;
    const expected = 'the copy that the signed metadata names';
    throw untrusted(
      'missing-metadata',
      { file: `${mirrors.name}/${path}` },
      {
        expected,
        found: 'no such file',
        cause: error,
      },
    );
  }
}

/** Throws VERIFICATION where what a file is to be is not what was signed of it. */
export function checkVouched(path: string, file: VouchedFile, vouched: VouchedFile | null, mirror: string): void {
  const place = { file: `${mirror}/${path}` };
  if (vouched === null) {
    throw untrusted('extraneous-dependencies', place, { expected: 'a role that speaks of it', found: 'none' });
  }
  if (vouched.sizeBytes === file.sizeBytes && vouched.sha256 === file.sha256) return;
  throw untrusted('arbitrary-software', place, {
    expected: `${vouched.sizeBytes} bytes of sha256 ${vouched.sha256}`,
    found: `${file.sizeBytes} of ${file.sha256} in the meta file`,
  });
}
