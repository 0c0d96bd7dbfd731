import { expect, it } from 'vitest';
import { choosePalette } from '../../../src/cli/render/colors.js';
import { summaryLines } from '../../../src/cli/render/summary.js';
import type { UpdateCheckEvent } from '../../../src/events.js';
import { newVersion, nothingNew } from '../../client/policy/checks.js';
import { series, version } from '../../client/policy/offers.js';

it.each<[UpdateCheckEvent, string]>([
  [nothingNew, `nothing new: ${version(5)} is the newest`],
  [newVersion, `${version(3)} ${newVersion.reason}, 600 MiB to download; here is ${version(1)}`],
  [{ ...newVersion, current: null, downloadBytes: null }, `${version(3)} ${newVersion.reason}; nothing is here`],
])('what a check found is told in one line: %#', (check, line) => {
  const palette = choosePalette({ isTerminal: false, allowed: false, env: {} });
  expect(summaryLines(check, { width: 80, palette })).toEqual([`${series}: ${line}`]);
});
