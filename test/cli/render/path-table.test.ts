import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { choosePalette } from '../../../src/cli/render/colors.js';
import { eventLine } from '../../../src/cli/render/event-line.js';
import { leftOutText, pathReasonText } from '../../../src/cli/render/path-reason.js';
import { pathTableLines } from '../../../src/cli/render/path-table.js';
import { ResultRenderer } from '../../../src/cli/render/result.js';
import { pathPlanEvent } from '../../../src/client/plan/path-plan-event.js';
import { planUpdate } from '../../../src/client/plan/plan-update.js';
import type { PathPlanEvent } from '../../../src/events.js';
import { localImage, type Sample, type SampleImage, sampleRequest, versionOf } from '../../client/plan/series.js';
import { projectRoot } from '../run.js';
import { FakeStream } from './fake-streams.js';

const palette = choosePalette({ isTerminal: false, allowed: false, env: {} });
const wide = { width: Number.POSITIVE_INFINITY, palette };

/** The worked example of docs/client.md. */
const IMAGES: readonly SampleImage[] = [
  { number: 17, size: 4_000_000_000 },
  { number: 20, size: 4_100_000_000, diffs: [[17, 560_000_000]] },
  {
    number: 31,
    size: 4_200_000_000,
    diffs: [
      [17, 950_000_000],
      [20, 130_000_000],
      [11, 3_822_000_000],
    ],
  },
];
const EXAMPLE: Sample = {
  images: IMAGES,
  wanted: 31,
  present: [localImage(17, 4_000_000_000)],
  rates: { downloadBytesPerSecond: 2_000_000, diskBytesPerSecond: 100_000_000, hopSeconds: 1 },
};

function planned(device: Sample['device'] = {}, dryRun = true): PathPlanEvent {
  const request = sampleRequest({ ...EXAMPLE, device: { freeBytes: 10_000_000_000, ...device } });
  return pathPlanEvent(planUpdate(request), request, { dryRun });
}

describe('the plan of an update, for people', () => {
  it.each([
    ['with room', {}],
    ['on a full disk', { freeBytes: 4_500_000_000 }],
  ])('%s is what docs/client.md shows', async (_, device) => {
    const text = await readFile(join(projectRoot, 'docs', 'client.md'), 'utf8');
    const line = { bytesPerSecond: 2_000_000, source: 'given' } as const;
    const lines = pathTableLines({ ...planned(device), line }, wide).map((shown) => `    ${shown}`.trimEnd());
    expect(text).toContain(`\n${lines.join('\n')}\n`);
  });

  it('fits the terminal', () => {
    const lines = pathTableLines(planned(), { width: 80, palette });
    expect(Math.max(...lines.slice(0, 5).map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines[2]).toMatch(/^\* .* cheapest$/);
    expect(lines[3]).toContain(`  ${versionOf(17)} `);
  });

  it('is printed on standard output where it stays a plan, else it is a line of the log', () => {
    const stdout = new FakeStream();
    const renderer = new ResultRenderer(stdout, palette);
    renderer.onEvent(planned());
    expect(stdout.written).toBe(`${pathTableLines(planned(), wide).join('\n')}\n`);
    expect(eventLine(planned())).toBeUndefined();
    renderer.onEvent(planned({}, false));
    expect(stdout.written).not.toContain('plan:');
    expect(eventLine(planned({}, false))).toEqual({
      level: 'detail',
      text: `plan: ${[17, 20, 31].map(versionOf).join(' > ')}, 658 MiB to download, about 7 min 21 s`,
    });
  });

  it('says that there is nothing to do, and where there is no way', () => {
    const here = { ...planned({ present: [localImage(31, 4_200_000_000)] }), dryRun: false };
    expect(pathTableLines(here, wide)[2]).toMatch(/^\* nothing to do +0 +0 B +0 B +0 ms +already here$/);
    expect(eventLine(here)?.text).toBe(`plan: ${versionOf(31)} is already here`);
    const none = { ...planned({ freeBytes: 0 }), dryRun: false };
    expect(pathTableLines(none, wide)[0]).toMatch(
      /^left out: .*\.rdiff \+ .*\.rdiff: needs 4\.4 GiB of disk, 0 B are free$/,
    );
    expect(eventLine(none)?.text).toBe(`plan: no way to ${versionOf(31)}`);
  });

  it.each([
    ['given', '1.9 MiB'],
    ['measured', '1.9 MiB'],
    ['assumed', '1.9 MiB'],
  ] as const)('says behind the ways that the rate of the line is %s', (source, rate) => {
    const lines = pathTableLines({ ...planned(), line: { bytesPerSecond: 2_000_000, source } }, wide);
    expect(lines[planned().paths.length + 2]).toBe(`reckoned with ${rate} a second (${source})`);
  });

  it('shows what a mirror may put into names as text', () => {
    const event = planned();
    const leftOut = [{ filenames: ['a\u001b[2Jb.rdiff'], reason: { kind: 'failed' } as const }];
    expect(pathTableLines({ ...event, leftOut, moreLeftOut: 3 }, wide).slice(-2)).toEqual([
      'left out: a\\x1b[2Jb.rdiff: failed in this run',
      'left out: 3 more',
    ]);
    const [path] = event.paths;
    const paths = [{ ...path!, hops: path!.hops.map((hop) => ({ ...hop, from: '\u001b[2J' })) }];
    expect(pathTableLines({ ...event, paths }, wide)[2]).toContain('* \\x1b[2J > ');
  });
});

describe('the reasons of a plan', () => {
  it.each([
    [{ kind: 'more-download', bytes: 12 * 2 ** 20 }, '12.0 MiB more to download'],
    [{ kind: 'more-work', bytes: 5 * 2 ** 30 }, '5.0 GiB more to read and write'],
    [{ kind: 'more-hops', hops: 1 }, '1 hop more'],
    [{ kind: 'same-cost' }, 'costs the same'],
  ] as const)('%j is "%s"', (reason, text) => {
    expect(pathReasonText(reason)).toBe(text);
  });

  it.each([
    [{ kind: 'delta-share', share: 0.91 }, 'delta is 91 % of the image'],
    [{ kind: 'other-bytes' }, 'is not the image that the mirror has under this version'],
    [{ kind: 'whole-images-off' }, 'whole images are not allowed'],
    [{ kind: 'no-base', base: '20220117120001' }, 'its base 20220117120001 is neither here nor on the mirror'],
  ] as const)('%j is "%s"', (reason, text) => {
    expect(leftOutText(reason)).toBe(text);
  });
});
