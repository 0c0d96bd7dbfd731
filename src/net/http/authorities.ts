import { X509Certificate } from 'node:crypto';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { UpdateRepositoryError } from '../../errors.js';
import { readTextFile } from '../../io/atomic-file.js';

const MAX_FILE_BYTES = 4 << 20;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Trusts the certificate authorities of `path`, a file in PEM form, and all that Node trusts anyway: its own and those of
 * NODE_EXTRA_CA_CERTS, which a list of authorities would take the place of. It takes a tenth of a second: all connections
 * are to share it.
 *
 * @throws UpdateRepositoryError NOT_FOUND or IO; CONFIG where it has no certificate, or a broken one
 */
export async function trustAuthorities(path: string): Promise<SecureContext> {
  const { NODE_EXTRA_CA_CERTS: extra = '' } = process.env;
  // Node itself passes over an extra file that it cannot read.
  const extras = extra === '' ? [] : certificatesIn((await readTextFile(extra, MAX_FILE_BYTES)) ?? '');
  return createSecureContext({ ca: [...rootCertificates, ...extras, ...(await readCertificates(path))] });
}

async function readCertificates(path: string): Promise<readonly string[]> {
  const text = await readTextFile(path, MAX_FILE_BYTES);
  if (text === null) {
    throw new UpdateRepositoryError('NOT_FOUND', `${path}: expected certificates, found no such file`, {
      data: { path },
    });
  }
  const certificates = certificatesIn(text);
  if (certificates.length === 0) throw unfit(path, 'none');
  for (const certificate of certificates) {
    try {
      new X509Certificate(certificate);
    } catch (error) {
      throw unfit(path, 'a broken one', error);
    }
  }
  return certificates;
}

function certificatesIn(text: string): readonly string[] {
  return text.match(CERTIFICATE) ?? [];
}

function unfit(path: string, found: string, cause?: unknown): UpdateRepositoryError {
  const message = `${path}: expected certificates between BEGIN CERTIFICATE and END CERTIFICATE, found ${found}`;
  return new UpdateRepositoryError('CONFIG', message, { data: { path }, cause });
}
