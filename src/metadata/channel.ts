import { type ImageVersion, isImageVersion, isSeriesName, type SeriesName, VERSION_FORM } from './brands.js';
import { type JsonNode, jsonMember, jsonMembers, jsonString, parseJson, wrongJson } from './json-node.js';
import { findNameFault } from './safe-name.js';

/*
 * A channel file, our own format: `channels/<name>.json` below the mirror's root, or anywhere else below it. Whoever runs
 * the mirror decides by it for all devices of that channel.
 *
 *     { "format": 1, "series": "<series>", "version": "<14 digits>" }
 *
 * What a mirror remembers of the channels that `channel set` made has all of them by name:
 *
 *     { "format": 1, "channels": { "<name>": { "series": "<series>", "version": "<14 digits>" } } }
 */

/** What `format` says; a reader refuses any other number. */
const FORMAT = 1;

/** A reader need not take more bytes of a channel file. */
export const MAX_CHANNEL_BYTES = 64 * 1024;

/** Where the channels lie that have a name and no path. */
export const CHANNELS_DIR = 'channels';

/** The version of a series that the devices of a channel are to have. */
export interface Channel {
  readonly series: SeriesName;
  readonly version: ImageVersion;
}

/** By name. */
export type Channels = ReadonlyMap<string, Channel>;

/** Where the file of a channel lies in the mirror. */
export function channelPath(name: string): string {
  return `${CHANNELS_DIR}/${name}.json`;
}

/** Whether a path of the mirror is that of a file among the channels. */
export function isChannelPath(path: string): boolean {
  return path.startsWith(`${CHANNELS_DIR}/`);
}

/**
 * What makes `name` unfit to be that of a channel, as a noun phrase; null when it is fit: devices call the channel so, and
 * the file that is named by it and by a sha256 can be made.
 */
export function findChannelNameFault(name: string): string | null {
  const fault = findNameFault(name) ?? findNameFault(`${'0'.repeat(64)}.${name}.json`);
  return fault ?? (name.endsWith('.json') ? 'the name of a file' : null);
}

/**
 * Reads a channel file of foreign origin; `file` opens the messages. Members that are not known are left out. Throws
 * FORMAT with the path of the member that is wrong. The caller bounds the length of `text`.
 */
export function parseChannel(text: string, file: string): Channel {
  return channelOf(parseFormat(text, file));
}

/** The text of the file of a channel. */
export function renderChannel({ series, version }: Channel): string {
  return `${JSON.stringify({ format: FORMAT, series, version })}\n`;
}

/** The texts of the files of channels, by path. */
export function channelTexts(channels: Channels): ReadonlyMap<string, string> {
  return new Map([...channels].map(([name, channel]) => [channelPath(name), renderChannel(channel)]));
}

/** Reads what a mirror remembers of its channels; throws FORMAT as {@link parseChannel} does. */
export function parseChannels(text: string, file: string): Channels {
  const channels = jsonMembers(jsonMember(parseFormat(text, file), 'channels'), MAX_CHANNELS);
  for (const [name, node] of channels) {
    const fault = findChannelNameFault(name);
    if (fault !== null) throw wrongJson(node, 'a channel whose name can be a file name', fault);
  }
  return new Map([...channels].map(([name, node]) => [name, channelOf(node)]));
}

/** The text of what a mirror remembers of its channels. */
export function renderChannels(channels: Channels): string {
  return `${JSON.stringify({ format: FORMAT, channels: Object.fromEntries(channels) })}\n`;
}

/** So many fit by far into the one role that speaks of them. */
const MAX_CHANNELS = 1_000;

function parseFormat(text: string, file: string): JsonNode {
  const root = parseJson(text, { file, code: 'FORMAT' });
  const format = jsonMember(root, 'format');
  if (format.value !== FORMAT) throw wrongJson(format, `the format ${FORMAT} that this program knows`);
  return root;
}

function channelOf(node: JsonNode): Channel {
  return {
    series: jsonString(jsonMember(node, 'series'), 'a series name that can be a file name', isSeriesName),
    version: jsonString(jsonMember(node, 'version'), VERSION_FORM, isImageVersion),
  };
}
