const GAP = '...';

/**
 * Cuts `text` down to `width` columns by leaving out its middle: image names differ at both ends. Below eight columns
 * there is no room for both ends, and the beginning stays.
 */
export function shortenMiddle(text: string, width: number): string {
  if (text.length <= width) return text;
  if (width < 8) return text.slice(0, Math.max(0, width));
  const kept = width - GAP.length;
  // The end of an image's name holds the version and the architecture, which tell it from the others of its series.
  const head = Math.floor(kept / 4);
  return text.slice(0, head) + GAP + text.slice(text.length - (kept - head));
}
