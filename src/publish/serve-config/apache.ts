import { cacheRule } from '../release.js';
import type { Site } from './site.js';

/**
 * A virtual host of Apache 2.4 that serves a mirror.
 *
 * An answer that is no success gets no rule for caches, so that nobody keeps a 404 for a year.
 */
export function renderApache({ root, serverName, listen, certificatePath, keyPath }: Site): string {
  const { address, port } = listen;
  return `# ${serverName}: a mirror of update-repository, served by Apache.
# It needs the modules alias, headers, setenvif and ssl (a2enmod), and "Listen ${address === null ? '' : `${address}:`}${port}" somewhere.
<VirtualHost ${address ?? '*'}:${port}>
    ServerName ${serverName}
    ServerSignature Off
    TraceEnable Off
    DocumentRoot "${root}"

    SSLEngine on
    SSLCertificateFile "${certificatePath}"
    SSLCertificateKeyFile "${keyPath}"
    SSLProtocol -all +TLSv1.2 +TLSv1.3

    # Clients resume by byte ranges, and check what they got byte for byte: nothing is packed on the way.
    SetEnvIf Request_URI . no-gzip no-brotli
    EnableSendfile On

    # What the publisher remembers, and what is not complete yet.
    RedirectMatch 404 /\\.
    RedirectMatch 404 \\.tmp$

    <Directory "${root}">
        Require all granted
        AllowOverride None
        Options FollowSymLinks
        FileETag MTime Size
        ForceType "text/plain; charset=utf-8"
        Header set Cache-Control "${cacheRule('index')}"
        # Only files: Apache would redirect from a directory without its slash.
        <IfModule mod_dir.c>
            DirectorySlash Off
            DirectoryIndex disabled
        </IfModule>
        <IfModule mod_mime.c>
            RemoveEncoding .gz .br .zst
        </IfModule>
    </Directory>
    <FilesMatch "\\.(?:img|rdiff)$">
        ForceType application/octet-stream
    </FilesMatch>
    <FilesMatch "\\.zst$">
        ForceType application/zstd
    </FilesMatch>
    <FilesMatch "\\.json$">
        ForceType application/json
    </FilesMatch>
    <FilesMatch "\\.(?:asc|gpg|sig)$">
        ForceType application/pgp-signature
    </FilesMatch>

    # A name never changes its bytes.
    <LocationMatch "\\.(?:img|rdiff|rdiff\\.zst)$">
        Header set Cache-Control "${cacheRule('immutable')}"
    </LocationMatch>
</VirtualHost>
`;
}
