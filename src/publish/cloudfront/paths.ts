/** As many as may be on their way at once, of one distribution. */
const MAX_PATHS = 3000;

/** The same of paths that end with an asterisk. */
const MAX_WILDCARDS = 15;

/**
 * The paths by which CloudFront knows objects of a bucket: with the prefix, and encoded as URLs are. Where there are too
 * many of them, those of a directory become one that stands for all that is in it.
 *
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
 *
 * @param keyPrefix empty, or ending with a slash
 */
export function pathsToInvalidate(keyPrefix: string, paths: readonly string[]): string[] {
  const known = (path: string) => encodeURI(`/${keyPrefix}${path}`);
  if (paths.length <= MAX_PATHS) return paths.map(known);
  const single = paths.filter((path) => !path.includes('/'));
  const directories = [...new Set(paths.filter((path) => path.includes('/')).map(topDirectory))];
  if (single.length > MAX_PATHS - directories.length || directories.length > MAX_WILDCARDS) return [known('*')];
  return [...single, ...directories].map(known);
}

function topDirectory(path: string): string {
  return `${path.slice(0, path.indexOf('/'))}/*`;
}
