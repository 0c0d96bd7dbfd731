import { hasCode } from '../errors.js';
import type { ProblemEvent } from '../events.js';
import { makeDirectory, readTextFile } from '../io/atomic-file.js';
import { CHANNELS_DIR, channelTexts, MAX_CHANNEL_BYTES } from '../metadata/channel.js';
import { writeTogether } from './list-signatures.js';
import { type MirrorSite, type MirrorView, sitePath } from './site.js';

type Texts = ReadonlyMap<string, string>;

/** What the files of channels are to say, by path: what the mirror remembers, never what stands in them. */
export async function wantedChannels({ state }: Pick<MirrorView, 'state'>): Promise<Texts> {
  return channelTexts(await state.readChannels());
}

/** The files of these channels that are there, whatever is in them. What is no text, or too long, reads as an empty one. */
export async function readChannelFiles(mirror: Pick<MirrorView, 'mirrorDir'>, paths: Iterable<string>): Promise<Texts> {
  const texts = new Map<string, string>();
  for (const path of paths) {
    const text = await readTextFile(sitePath(mirror, path), MAX_CHANNEL_BYTES).catch((error: unknown) => {
      if (hasCode(error, 'FORMAT')) return '';
      throw error;
    });
    if (text !== null) texts.set(path, text);
  }
  return texts;
}

/** Those of `wanted` whose files are missing or say something else. */
export async function changedChannels(mirror: Pick<MirrorView, 'mirrorDir'>, wanted: Texts): Promise<Texts> {
  const found = await readChannelFiles(mirror, wanted.keys());
  return new Map([...wanted].filter(([path, text]) => found.get(path) !== text));
}

/** Brings back the files of channels that are missing or say something else; returns their paths. */
export async function writeChannelFiles(site: MirrorSite): Promise<string[]> {
  const changed = await changedChannels(site, await wantedChannels(site));
  if (changed.size > 0) await makeDirectory(sitePath(site, CHANNELS_DIR));
  for (const file of changed) await writeTogether(site, [file]);
  return [...changed.keys()];
}

/** The files of channels that are not as the mirror remembers them; `texts` has those that are there. */
export function channelFileProblems(wanted: Texts, texts: Texts): ProblemEvent[] {
  return [...wanted].flatMap(([path, text]): ProblemEvent[] => {
    const found = texts.get(path);
    if (found === text) return [];
    const [kind, message] =
      found === undefined
        ? (['missing', 'the mirror has this channel'] as const)
        : (['inconsistent', 'expected what `channel set` made of it, found something else'] as const);
    return [{ type: 'problem', level: 'error', kind, path, message }];
  });
}
