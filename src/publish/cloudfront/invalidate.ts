import { randomBytes } from 'node:crypto';
import { CloudFrontClient, CreateInvalidationCommand } from '@aws-sdk/client-cloudfront';
import { UpdateRepositoryError } from '../../errors.js';
import { connectQuietly } from '../aws-client.js';

/** What a distribution is to forget. */
export interface Invalidation {
  /** For messages: where the objects lie. */
  readonly target: string;
  /** The id of the distribution, such as EDFDVBD632BHDS5. */
  readonly distribution: string;
  /** As CloudFront knows them. */
  readonly paths: readonly string[];
}

const MAX_PATHS_SHOWN = 10;
const MAX_ANSWER_LENGTH = 200;

/**
 * Asks a CloudFront distribution to forget what it holds of these paths, by one invalidation, and does not wait until it has.
 * Resolves to the id of the invalidation. Credentials come from where all AWS tools have them.
 *
 * @throws UpdateRepositoryError STORAGE, with a hint how to do it by hand; INTERRUPTED
 */
export async function invalidate(invalidation: Invalidation, signal: AbortSignal): Promise<string> {
  const { distribution, paths } = invalidation;
  const client = await connectQuietly((settings) => new CloudFrontClient(settings));
  try {
    const answer = await client.send(
      new CreateInvalidationCommand({
        DistributionId: distribution,
        InvalidationBatch: {
          // CloudFront takes a reference that it has seen for a request that was sent again.
          CallerReference: `update-repository-${randomBytes(16).toString('hex')}`,
          Paths: { Quantity: paths.length, Items: [...paths] },
        },
      }),
      { abortSignal: signal },
    );
    return answer.Invalidation?.Id ?? 'without an id';
  } catch (error) {
    if (signal.aborted) throw new UpdateRepositoryError('INTERRUPTED', 'interrupted', { cause: error });
    throw failure(invalidation, error);
  } finally {
    client.destroy();
  }
}

function failure({ target, distribution, paths }: Invalidation, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof TypeError) return error;
  const details = error.message.replace(/[\s\p{Cc}]+/gu, ' ').slice(0, MAX_ANSWER_LENGTH);
  const found = details === '' ? error.name : `${error.name}: ${details}`;
  return new UpdateRepositoryError(
    'STORAGE',
    `${target}: published, but CloudFront distribution ${distribution} could not be told: expected success, found ${found}`,
    {
      data: { target, distribution, paths: paths.slice(0, MAX_PATHS_SHOWN) },
      cause: error,
      hint: `publishing again does not repeat it: aws cloudfront create-invalidation --distribution-id ${distribution} --paths ${argumentsFor(paths)}`,
    },
  );
}

/** Too many for a line are everything. */
function argumentsFor(paths: readonly string[]): string {
  return (paths.length <= MAX_PATHS_SHOWN ? paths : [commonDirectory(paths)]).map(quoted).join(' ');
}

function commonDirectory(paths: readonly string[]): string {
  let common = paths[0] ?? '/';
  for (const path of paths) while (!path.startsWith(common)) common = common.slice(0, -1);
  return `${common.slice(0, common.lastIndexOf('/') + 1)}*`;
}

function quoted(argument: string): string {
  return `'${argument.replaceAll("'", "'\\''")}'`;
}
