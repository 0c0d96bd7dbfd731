import { UpdateRepositoryError } from '../errors.js';
import type { EventSink, RepositoryEvent } from '../events.js';

/** Reads the value of `--cloudfront`: the id of a distribution. Throws USAGE. */
export function parseDistribution(text: string): string {
  if (/^[A-Z0-9]{1,64}$/.test(text)) return text;
  throw new UpdateRepositoryError(
    'USAGE',
    `expected the id of a distribution, such as EDFDVBD632BHDS5, found '${text}'`,
  );
}

/** @throws UpdateRepositoryError USAGE for a place that is no bucket: nothing else tells what CloudFront calls its objects */
export function requireBuckets(targets: readonly string[]): void {
  const other = targets.find((target) => !/^s3:/i.test(target));
  if (other === undefined) return;
  throw new UpdateRepositoryError('USAGE', `${other}: expected s3://bucket/prefix with --cloudfront`, {
    data: { target: other },
  });
}

/** Listens to a publish for what readers may hold an older version of: indexes that were stored or withdrawn. */
export class ChangedPaths {
  readonly paths: string[] = [];

  /** Passes events on to `onEvent`. */
  listen(onEvent: EventSink): EventSink {
    return (event: RepositoryEvent) => {
      if (event.type === 'index-written' || event.type === 'file-removed') this.paths.push(event.path);
      onEvent(event);
    };
  }
}

/**
 * Asks a CloudFront distribution in front of a bucket to forget what has changed there.
 *
 * @throws UpdateRepositoryError STORAGE, saying how to repeat it; INTERRUPTED
 */
export async function tellCloudFront(
  distribution: string,
  target: string,
  { paths }: ChangedPaths,
  { signal, onEvent }: { readonly signal: AbortSignal; readonly onEvent: EventSink },
): Promise<void> {
  if (paths.length === 0) return;
  const { parseS3Address } = await import('../publish/s3/address.js');
  const { pathsToInvalidate } = await import('../publish/cloudfront/paths.js');
  const { invalidate } = await import('../publish/cloudfront/invalidate.js');
  const { keyPrefix, name } = parseS3Address(target);
  const known = pathsToInvalidate(keyPrefix, paths);
  const id = await invalidate({ target: name, distribution, paths: known }, signal);
  const message = `CloudFront distribution ${distribution} is asked to forget ${known.length} paths: invalidation ${id}`;
  onEvent({ type: 'note', level: 'info', subject: name, message });
}
