// How many requests of which kind an S3 server was asked, by the log of Ceph's gateway.

/** Kinds of requests, LIST being a GET of the bucket's contents, of its open uploads, or of the parts of one. */
export const kinds = /** @type {const} */ (['PUT', 'POST', 'GET', 'HEAD', 'LIST', 'DELETE']);

/** @typedef {Record<typeof kinds[number], number>} Requests */

/**
 * Counts the lines `… "PUT /bucket/key?query HTTP/1.1" …` of a log.
 * @param {string} log
 * @param {string} bucket
 * @returns {Requests}
 */
export function countRequests(log, bucket) {
  const counts = { PUT: 0, POST: 0, GET: 0, HEAD: 0, LIST: 0, DELETE: 0 };
  for (const [, method = '', path = '', query = ''] of log.matchAll(/ beast: .*?"([A-Z]+) ([^ ?"]+)(\S*) HTTP\//g)) {
    const isList = method === 'GET' && (isBucket(path, bucket) || query.includes('uploadId='));
    const kind = isList ? 'LIST' : kinds.find((known) => known === method);
    if (kind === undefined) throw new Error(`${method} ${path}: expected one of ${kinds.join(', ')}`);
    counts[kind] += 1;
  }
  return counts;
}

/**
 * @param {string} path
 * @param {string} bucket
 */
function isBucket(path, bucket) {
  return path.replace(/\/$/, '') === `/${bucket}`;
}
