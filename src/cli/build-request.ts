import { join } from 'node:path';
import type { NoteEvent } from '../events.js';
import type { BuildOptions } from '../images/build.js';
import type { DeltaPolicy } from '../images/delta-policy.js';
import type { BuildFlags } from './build-flags.js';

/** The part of the build's options that the flags of the command line decide. */
export type BuildSettings = Omit<
  BuildOptions,
  'imagesDir' | 'mirrorDir' | 'resources' | 'sign' | 'signLists' | 'signal' | 'onEvent'
>;

/**
 * Turns the flags of `build` into its settings, with notes on what was decided for the user. `isDirectory` answers
 * whether a Puavo tree has its configuration.
 */
export function planRequest(
  flags: BuildFlags,
  isDirectory: (path: string) => boolean,
): { readonly settings: BuildSettings; readonly notes: readonly NoteEvent[] } {
  const selection = chooseSelection(flags, isDirectory);
  const deltas = chooseDeltas(flags);
  const settings: BuildSettings = {
    selection: { configPaths: selection.configPaths, executableOnly: flags.config === true },
    deltas: deltas.policy,
    maxDeltaRatio: flags.maxDeltaRatio,
    baseUrl: flags.baseUrl ?? flags.repository,
    link: flags.link,
    compressDeltas: flags.compressDeltas,
    bestBeforeMs: flags.bestBefore,
    deltaEffort: flags.deltaEffort,
    engine: flags.engine,
    lifetimes: flags.expires,
    prune: flags.prune === true ? { graceMs: flags.grace } : undefined,
    keepGoing: flags.keepGoing ?? false,
    replace: flags.replace ?? false,
    breakLock: flags.breakLock ?? false,
    dryRun: flags.dryRun ?? false,
  };
  return { settings, notes: [...deprecations(flags), ...selection.notes, ...deltas.notes] };
}

function chooseSelection(flags: BuildFlags, isDirectory: (path: string) => boolean) {
  const configPaths = [...(flags.seriesConfig ?? [])];
  if (flags.puavoOs === undefined) return { configPaths, notes: [] };
  // With -c the old wrapper wrote its configuration anew from the names, so what the tree holds did not count.
  if (flags.config === true) {
    return { configPaths, notes: [note('series come from the names of the images, because of --config')] };
  }
  const puavoConfig = join(flags.puavoOs, 'config', 'images');
  if (isDirectory(puavoConfig)) return { configPaths: [...configPaths, puavoConfig], notes: [] };
  const instead = configPaths.length === 0 ? 'series come from the names of the images' : 'it is left out';
  return { configPaths, notes: [note(`no such directory: ${instead}`, puavoConfig)] };
}

/** No policy leaves the choice to what the mirror remembers. */
function chooseDeltas(flags: BuildFlags): { policy: DeltaPolicy | undefined; notes: readonly NoteEvent[] } {
  const likePuavo = flags.puavoOs !== undefined || flags.repository !== undefined;
  if (flags.deltas !== undefined || !likePuavo) return { policy: flags.deltas, notes: [] };
  const why = 'the default with --puavo-os or --repository';
  return { policy: { kind: 'puavo' }, notes: [note(`delta policy puavo: ${why}`)] };
}

function deprecations(flags: BuildFlags): NoteEvent[] {
  const used = [...(flags.files ? [] : ['--no-files']), ...(flags.config === false ? ['--no-config'] : [])];
  return used.map((flag) => note(`${flag} is deprecated: configuration is never written, with or without it`));
}

function note(message: string, subject?: string): NoteEvent {
  return { type: 'note', level: 'info', message, ...(subject === undefined ? {} : { subject }) };
}
