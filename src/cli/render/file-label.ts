import { basename } from 'node:path';
import { parseRdiffName } from '../../metadata/image-name.js';
import { printable } from './printable.js';
import { shortenMiddle } from './shorten.js';

/**
 * What a bar calls a file in at most `width` columns: its base name without the extension. Of a delta's name that does
 * not fit, the two stamps tell it from the others: they alone stay where the rest would push one out.
 */
export function fileLabel(path: string, width: number): string {
  const name = basename(path);
  const label = shortenMiddle(printable(name.replace(/\.(img|rdiff)$/, '')), width);
  const delta = parseRdiffName(name);
  if (delta === null) return label;
  const stamps = `${delta.baseStamp}--${delta.targetStamp}`;
  return label.includes(stamps) || stamps.length > width ? label : stamps;
}
