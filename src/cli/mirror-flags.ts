import { type Command, Option } from 'commander';
import type { MirrorSource } from '../client/session.js';

/** What the options of {@link addMirrorOptions} leave in commander's hands. */
export interface MirrorFlags {
  readonly series?: string;
  readonly mirror?: readonly string[];
  readonly ca?: string;
}

/** The options that say where images come from, beside the URL of the mirror. */
export function addMirrorOptions(command: Command, seriesDefault = ''): Command {
  return command
    .option('--series <name>', `which series, where the mirror has several${seriesDefault}`)
    .addOption(
      new Option('--mirror <url>', 'another copy of the mirror; may be repeated').argParser(
        (url: string, before: readonly string[] = []) => [...before, url],
      ),
    )
    .option('--ca <file>', 'trust these certificate authorities as well');
}

/** The mirror at `url`, and its copies. */
export function mirrorSource(url: string, { mirror = [], series, ca }: MirrorFlags): MirrorSource {
  return {
    urls: [url, ...mirror],
    ...(series === undefined ? {} : { series }),
    ...(ca === undefined ? {} : { caFile: ca }),
  };
}
