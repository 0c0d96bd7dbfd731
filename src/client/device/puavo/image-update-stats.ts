import type { UpdateStage } from '../layout.js';

/**
 * `image_update.stats`, from which Puavo's applet and others read how far an update is: three lines, each a word and a
 * value. Puavo's client writes it when something has changed, by way of `image_update.stats.tmp`.
 *
 *     image puavo-os-acme-bookworm-2024-01-02-060000-amd64.img
 *     phase rdiff_fetch
 *     progress 42
 */
export function renderStats({ image, phase, percent }: UpdateStage): string {
  const progress = Math.min(100, Math.max(0, Math.floor(percent)));
  return `image ${image}\nphase ${phase}\nprogress ${progress}\n`;
}
