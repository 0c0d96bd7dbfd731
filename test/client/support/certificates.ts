import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate authority of its own, and a server's key and certificate that it vouches for. Files in PEM form. */
export interface Certificates {
  readonly caFile: string;
  readonly keyFile: string;
  readonly certificateFile: string;
}

/** Makes certificates for `localhost`, `images.test` and 127.0.0.1 with openssl, in the directory `dir`. */
export function makeCertificates(dir: string): Certificates {
  const at = (name: string) => join(dir, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const newKey = ['-newkey', 'rsa:2048', '-nodes'];
  openssl('req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=test CA', '-keyout', 'ca.key', '-out', 'ca.pem');
  openssl('req', ...newKey, '-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.csr');
  writeFileSync(at('names'), 'subjectAltName=DNS:localhost,DNS:images.test,IP:127.0.0.1\n');
  const signedBy = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
  openssl('x509', '-req', '-in', 'server.csr', ...signedBy, '-out', 'server.pem');
  return { caFile: at('ca.pem'), keyFile: at('server.key'), certificateFile: at('server.pem') };
}
