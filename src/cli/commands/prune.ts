import type { Command } from 'commander';
import type { PruneSummaryEvent } from '../../events.js';
import type { PruneOptions } from '../../images/prune.js';
import type { PruneStorageOptions } from '../../publish/prune-storage.js';
import { EXIT } from '../exit-codes.js';
import { graceOption } from '../grace.js';
import type { Accept } from '../invocation.js';
import { addStorageOptions, RETRIES, type StorageFlags, s3Options } from '../storage-flags.js';

interface PruneFlags extends StorageFlags {
  readonly grace: number;
  readonly dryRun?: boolean;
  readonly breakLock?: boolean;
}

/** Adds `prune`: removes what no index of a mirror names any more. */
export function definePrune(program: Command, accept: Accept): void {
  const command = program
    .command('prune')
    .summary('remove the files of a mirror that no index names any more')
    .description(
      'Remove the images and deltas of a mirror that no index has named for the grace period, and old metadata of a ' +
        'signed one, so that downloads that began before can end. Files that update-repository did not make stay.',
    )
    .argument('<mirror>', 'the mirror, or the address of a place that it was published to')
    .addOption(graceOption('keep a file for so long after the last index that named it'))
    .option('--dry-run', 'show what would be removed; exits with 10 when there is something')
    .option('--break-lock', 'take over the lock of a process that is gone')
    .addHelpText('after', '\nExample:\n  update-repository prune --grace 7d --dry-run /srv/images/mirror\n');
  addStorageOptions(command);

  command.action((mirrorDir: string, flags: PruneFlags) =>
    accept(command, async (session) => {
      const options = { graceMs: flags.grace, dryRun: flags.dryRun ?? false, ...session };
      const { isAddress, publishedDirectory } = await import('../../publish/open-storage.js');
      const address = isAddress(mirrorDir) ? mirrorDir : publishedDirectory(mirrorDir);
      const summary =
        address === null
          ? await pruneLocal(mirrorDir, { ...options, breakLock: flags.breakLock ?? false })
          : await prunePublished(address, options, flags);
      return summary.dryRun && summary.removed > 0 ? EXIT.somethingToDo : EXIT.done;
    }),
  );
}

async function pruneLocal(mirrorDir: string, options: Omit<PruneOptions, 'mirrorDir'>): Promise<PruneSummaryEvent> {
  const { pruneMirror } = await import('../../images/prune.js');
  return await pruneMirror({ mirrorDir, ...options });
}

async function prunePublished(
  address: string,
  options: Omit<PruneStorageOptions, 'storage'>,
  flags: StorageFlags,
): Promise<PruneSummaryEvent> {
  const { openStorage } = await import('../../publish/open-storage.js');
  const { pruneStorage } = await import('../../publish/prune-storage.js');
  const { signal, onEvent } = options;
  const retries = { ...RETRIES, onEvent };
  const storage = await openStorage(address, { retries, signal, s3: s3Options(flags) });
  try {
    return await pruneStorage({ storage, ...options });
  } finally {
    await storage.close();
  }
}
