import {
  type ImageVersion,
  isImageVersion,
  isSeriesName,
  type SeriesName,
  VERSION_FORM,
} from '../../metadata/brands.js';
import { jsonMember, jsonString, parseJson, wrongJson } from '../../metadata/json-node.js';

/*
 * A channel file, our own format: `channels/<name>.json` below the mirror's root, or anywhere else below it. Whoever runs
 * the mirror writes it, and so decides for all devices of that channel.
 *
 *     { "format": 1, "series": "<series>", "version": "<14 digits>" }
 */

/** What `format` says; a reader refuses any other number. */
const FORMAT = 1;

/** A reader need not take more bytes of a channel file. */
export const MAX_CHANNEL_BYTES = 64 * 1024;

/** The version of a series that the devices of a channel are to have. */
export interface Channel {
  readonly series: SeriesName;
  readonly version: ImageVersion;
}

/**
 * Reads a channel file of foreign origin; `file` opens the messages. Members that are not known are left out. Throws
 * FORMAT with the path of the member that is wrong. The caller bounds the length of `text`.
 */
export function parseChannel(text: string, file: string): Channel {
  const root = parseJson(text, { file, code: 'FORMAT' });
  const format = jsonMember(root, 'format');
  if (format.value !== FORMAT) throw wrongJson(format, `the format ${FORMAT} that this program knows`);
  return {
    series: jsonString(jsonMember(root, 'series'), 'a series name that can be a file name', isSeriesName),
    version: jsonString(jsonMember(root, 'version'), VERSION_FORM, isImageVersion),
  };
}
