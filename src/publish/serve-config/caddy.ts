import { cacheRule } from '../release.js';
import type { Site } from './site.js';

/**
 * A Caddyfile of Caddy 2.6 or newer that serves a mirror.
 *
 * An answer that is no success gets no rule for caches, so that nobody keeps a 404 for a year.
 */
export function renderCaddy({ root, serverName, listen, certificatePath, keyPath }: Site): string {
  const { address, port } = listen;
  return `# ${serverName}: a mirror of update-repository, served by Caddy.
{
	auto_https disable_redirects
}

https://${serverName}:${port} {
${address === null ? '' : `	bind ${address.replace(/^\[|\]$/g, '')}\n`}	tls "${certificatePath}" "${keyPath}"
	root * "${root}"

	# What the publisher remembers, and what is not complete yet.
	@hidden path_regexp (/\\.|\\.tmp$)
	handle @hidden {
		error 404
	}
	@written not method GET HEAD
	handle @written {
		error 405
	}

	handle {
		# A name never changes its bytes.
		@immutable {
			file
			path *.img *.rdiff *.rdiff.zst
		}
		header @immutable Cache-Control "${cacheRule('immutable')}"
		@mutable {
			file
			not path *.img *.rdiff *.rdiff.zst
		}
		header @mutable Cache-Control "${cacheRule('index')}"

		@bytes path *.img *.rdiff
		header @bytes Content-Type application/octet-stream
		@packed path *.zst
		header @packed Content-Type application/zstd
		@json path *.json
		header @json Content-Type application/json
		@signature path *.asc *.gpg *.sig
		header @signature Content-Type application/pgp-signature
		@text not path *.img *.rdiff *.zst *.json *.asc *.gpg *.sig
		header @text Content-Type "text/plain; charset=utf-8"

		# Nothing is packed on the way, and nothing redirected: clients resume by byte ranges, and check every byte.
		file_server {
			disable_canonical_uris
			index off
		}
	}
}
`;
}
