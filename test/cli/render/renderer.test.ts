import { describe, expect, it } from 'vitest';
import type { OutputFlags } from '../../../src/cli/invocation.js';
import { createRenderer } from '../../../src/cli/render/renderer.js';
import type { RepositoryEvent } from '../../../src/events.js';
import { FakeStream } from './fake-streams.js';
import {
  build,
  buildSummary,
  DELTA,
  failed,
  finished,
  NEW_IMAGE,
  OLD_IMAGE,
  oneSeries,
  plan,
  started,
} from './sample-events.js';

/** What comes out on both streams, neither of them a terminal unless it is given. */
async function render(
  events: readonly RepositoryEvent[],
  flags: Partial<OutputFlags> = {},
  env: Record<string, string> = {},
  stdout = new FakeStream(),
) {
  const stderr = new FakeStream();
  const renderer = await createRenderer({ color: true, ...flags }, { stdout, stderr, env });
  for (const event of events) renderer.onEvent(event);
  renderer.close();
  return { stdout: stdout.lines, stderr: stderr.lines };
}

describe('off a terminal', () => {
  it('a build is one line for each thing done, and its summary on stdout', async () => {
    const { stdout, stderr } = await render(build);
    expect(stderr).toEqual([
      'note: delta policy neighbours: the default',
      'plan: link 2, delta 1, write-index 1',
      `[1/3] examine ${OLD_IMAGE}: 583 MiB, hard-linked, squashfs, 2 min 3 s`,
      `warning: ${NEW_IMAGE}: no squashfs`,
      `[2/3] examine ${NEW_IMAGE}: 583 MiB, hard-linked, squashfs, 2 min 3 s`,
      `[3/3] delta ${DELTA}: 583 MiB, 14.2 % of the image, 2 min 3 s`,
      'wrote CKSUMS: 312 B',
      'removed rdiffs/old.rdiff: 2.0 KiB',
    ]);
    expect(stdout).toEqual([
      'SERIES                      IMAGES     SIZE  DELTAS     SIZE    SAVED     %',
      'puavo-os-acme-buster-amd64       2  8.0 GiB       2  1.2 GiB  6.9 GiB  86 %',
      '',
      '/srv/www: updated, 2 images read, 1 delta made, 3 min 12 s',
    ]);
  });

  it('a job that failed is an error line, without its stack', async () => {
    expect((await render([plan, started(1, DELTA), failed(1, DELTA)])).stderr.slice(1)).toEqual([
      `error: delta ${DELTA}: ${DELTA}: other bytes`,
    ]);
  });

  it('a delta that was not worth it has no size', async () => {
    const event = { ...finished(1, DELTA), sizeBytes: null, detail: 'not published' };
    expect((await render([started(1, DELTA), event])).stderr).toEqual([`[1] delta ${DELTA}: not published, 2 min 3 s`]);
  });

  it('no name can bring control characters in', async () => {
    const evil = 'a\u001b]0;x\u0007\n.img';
    const { stdout, stderr } = await render([
      { type: 'note', level: 'info', subject: evil, message: evil },
      { type: 'problem', level: 'error', kind: 'mismatch', path: evil, message: evil },
      finished(1, evil),
      failed(2, evil),
      { type: 'file-removed', path: evil, sizeBytes: 1 },
      { type: 'plan', dryRun: true, actions: [{ action: 'remove', path: evil, detail: evil, sizeBytes: 1 }] },
      { ...buildSummary, mirror: evil, series: [{ ...oneSeries, series: evil }] },
    ]);
    const all = [...stdout, ...stderr].join('');
    expect(all).toContain('a\\x1b]0;x\\x07\\x0a.img');
    expect(all).not.toMatch(/\p{Cc}/u);
  });

  it('colors come with FORCE_COLOR, and go again with --no-color', async () => {
    const events: RepositoryEvent[] = [{ type: 'note', level: 'warning', message: 'w' }, buildSummary];
    const colored = await render(events, {}, { FORCE_COLOR: '1' });
    expect(colored.stderr).toEqual(['\u001b[33mwarning:\u001b[39m w']);
    expect(colored.stdout[0]).toBe(`\u001b[1m${(await render(events)).stdout[0]}\u001b[22m`);
    expect(await render(events, { color: false }, { FORCE_COLOR: '1' })).toEqual(await render(events));
  });
});

describe('--quiet', () => {
  it('leaves warnings, errors and problems, and nothing on stdout', async () => {
    const problem: RepositoryEvent = { type: 'problem', level: 'error', kind: 'missing', path: 'a', message: 'gone' };
    expect(await render([...build, failed(9, DELTA), problem], { quiet: true })).toEqual({
      stdout: [],
      stderr: [
        `warning: ${NEW_IMAGE}: no squashfs`,
        `error: delta ${DELTA}: ${DELTA}: other bytes`,
        'error: a: missing: gone',
      ],
    });
  });
});

describe('--json', () => {
  it('is every event on stdout, a line each, the summary last, and nothing on stderr', async () => {
    const { stdout, stderr } = await render(build, { json: true });
    expect(stdout.map((line) => JSON.parse(line))).toEqual(build);
    expect(stdout.at(-1)).toBe(JSON.stringify(buildSummary));
    expect(stderr).toEqual([]);
  });

  it('has no stacks and no raw control characters', async () => {
    const event = failed(1, 'a\u001b\u007f\u0085');
    const { stdout } = await render([event], { json: true });
    const { stack: _, ...error } = event.error;
    expect(stdout.map((line) => JSON.parse(line))).toEqual([{ ...event, error }]);
    expect(stdout[0]).toContain('"path":"a\\u001b\\u007f\\u0085"');
  });
});

describe('a dry run', () => {
  const dryRun: RepositoryEvent[] = [
    { ...plan, dryRun: true },
    { ...buildSummary, dryRun: true },
  ];

  it('prints its plan as a table with whole names', async () => {
    const { stdout, stderr } = await render(dryRun);
    expect(stdout).toEqual([
      `ACTION       FILE${' '.repeat(74)}FROM OR WHY${' '.repeat(47)}SIZE`,
      `link         ${OLD_IMAGE.padEnd(76)}  new in the mirror                                      4.0 GiB`,
      `link         ${NEW_IMAGE.padEnd(76)}  new in the mirror                                      4.0 GiB`,
      `delta        ${DELTA}  from ${OLD_IMAGE}  unknown`,
      `write-index  ${'CKSUMS'.padEnd(76)}  new                                                    unknown`,
      '',
      '/srv/www: nothing was changed, this was a dry run',
    ]);
    expect(stderr).toEqual([]);
  });

  it('fits its plan into a terminal', async () => {
    const stdout = new FakeStream({ columns: 80, rows: 24 });
    const lines = (await render(dryRun, { color: false }, {}, stdout)).stdout;
    expect(Math.max(...lines.map((line) => line.length))).toBe(80);
  });

  it('of a mirror that is up to date says so', async () => {
    const events: RepositoryEvent[] = [
      { ...plan, dryRun: true, actions: [] },
      { ...buildSummary, dryRun: true, changed: false },
    ];
    expect(await render(events)).toEqual({ stdout: ['/srv/www: up to date, nothing to do'], stderr: [] });
  });
});

describe('summaries', () => {
  it('of several series end in a total, and mention deltas that were too large where there are any', async () => {
    const series = [oneSeries, { ...oneSeries, series: 'ltsp-lukio-trusty-i386', deltasTooLarge: 3 }];
    expect((await render([{ ...buildSummary, series }])).stdout.slice(0, 4)).toEqual([
      'SERIES                      IMAGES      SIZE  DELTAS     SIZE     SAVED     %  TOO LARGE',
      'puavo-os-acme-buster-amd64       2   8.0 GiB       2  1.2 GiB   6.9 GiB  86 %          0',
      'ltsp-lukio-trusty-i386           2   8.0 GiB       2  1.2 GiB   6.9 GiB  86 %          3',
      'total                            4  16.0 GiB       4  2.3 GiB  13.7 GiB  86 %          3'.replace(
        '16.0',
        '16.0',
      ),
    ]);
  });

  it('of a build name failures, and what there was not to do', async () => {
    const last = async (event: RepositoryEvent) => (await render([event])).stdout.at(-1);
    expect(await last({ ...buildSummary, failures: 2 })).toBe(
      '/srv/www: updated, 2 images read, 1 delta made, 2 FAILED, 3 min 12 s',
    );
    expect(await last({ ...buildSummary, changed: false, examined: 0, deltasMade: 0, durationMs: 40 })).toBe(
      '/srv/www: up to date, 40 ms',
    );
  });

  it('of verify and prune are one sentence', async () => {
    const verified = {
      type: 'verify-summary',
      mirror: '/srv/www',
      files: 14,
      bytes: 8605663232,
      deltasApplied: 0,
      errors: 0,
      warnings: 0,
      durationMs: 12_345,
    } as const;
    const pruned = {
      type: 'prune-summary',
      mirror: '/srv/www',
      dryRun: false,
      removed: 1,
      removedBytes: 2048,
      waiting: 0,
      waitingBytes: 0,
    } as const;
    expect(
      (
        await render([
          verified,
          { ...verified, deltasApplied: 6, errors: 1, warnings: 2 },
          pruned,
          { ...pruned, dryRun: true, removed: 2, waiting: 3, waitingBytes: 1024 },
        ])
      ).stdout,
    ).toEqual([
      '/srv/www: nothing wrong in 14 files, 8.0 GiB, 12.3 s',
      '/srv/www: 1 error, 2 warnings in 14 files, 8.0 GiB, 6 deltas applied, 12.3 s',
      '/srv/www: 1 file removed (2.0 KiB)',
      '/srv/www: 2 files would be removed (2.0 KiB), 3 files (1.0 KiB) not yet: the grace period runs',
    ]);
  });
});
