import { cacheRule } from '../release.js';
import type { Site } from './site.js';

/**
 * A `server` block of nginx 1.18 or newer, for the `http` context, that serves a mirror.
 *
 * An answer that is no success gets no rule for caches, so that nobody keeps a 404 for a year.
 */
export function renderNginx({ root, serverName, listen, certificatePath, keyPath }: Site): string {
  const listens =
    listen.address === null ? [`${listen.port}`, `[::]:${listen.port}`] : [`${listen.address}:${listen.port}`];
  return `# ${serverName}: a mirror of update-repository, served by nginx.
# Put it where nginx.conf includes files into its http block, such as /etc/nginx/sites-enabled/.
# A proxy in front of it has to pass Range and to keep large files off its disk: proxy_max_temp_file_size 0;
server {
${listens.map((address) => `    listen ${address} ssl;`).join('\n')}
    server_name ${serverName};
    server_tokens off;
    root "${root}";

    ssl_certificate "${certificatePath}";
    ssl_certificate_key "${keyPath}";
    ssl_protocols TLSv1.2 TLSv1.3;

    # Clients resume by byte ranges, and check what they got byte for byte: nothing is packed on the way.
    gzip off;
    sendfile on;
    tcp_nopush on;
    etag on;
    autoindex off;

    types {
        application/octet-stream img rdiff;
        application/zstd zst;
        application/json json;
        application/pgp-signature asc gpg sig;
    }
    default_type text/plain;
    charset utf-8;

    # What the publisher remembers, and what is not complete yet.
    location ~ /\\. {
        return 404;
    }
    location ~ \\.tmp$ {
        return 404;
    }

    # A name never changes its bytes.
    location ~ \\.(?:img|rdiff|rdiff\\.zst)$ {
        try_files $uri =404;
        add_header Cache-Control "${cacheRule('immutable')}";
    }

    # Only files: nginx would redirect from a directory without its slash.
    location / {
        try_files $uri =404;
        add_header Cache-Control "${cacheRule('index')}";
    }
}
`;
}
