import { describe, expect, it } from 'vitest';
import type { BuildFlags } from '../../src/cli/build-flags.js';
import { planRequest } from '../../src/cli/build-request.js';

const DEFAULTS: BuildFlags = { files: true, maxDeltaRatio: 0.8, link: 'auto', engine: 'auto', grace: 86_400_000 };

function plan(flags: Partial<BuildFlags>, directories: readonly string[] = []) {
  const { settings, notes } = planRequest({ ...DEFAULTS, ...flags }, (path) => directories.includes(path));
  return {
    settings,
    notes: notes.map(({ subject, message }) => (subject === undefined ? message : `${subject}: ${message}`)),
  };
}

describe('what the flags of build ask for', () => {
  it('without flags: series from names, deltas between neighbours, nothing is pruned', () => {
    expect(plan({})).toEqual({
      settings: {
        selection: { configPaths: [], executableOnly: false },
        deltas: undefined,
        maxDeltaRatio: 0.8,
        baseUrl: undefined,
        link: 'auto',
        compressDeltas: undefined,
        bestBeforeMs: undefined,
        deltaEffort: undefined,
        engine: 'auto',
        prune: undefined,
        keepGoing: false,
        replace: false,
        breakLock: false,
        dryRun: false,
      },
      notes: [],
    });
  });

  it.each([true, false])('deltas to be compressed or not: %s', (compressDeltas) => {
    expect(plan({ compressDeltas }).settings).toMatchObject({ compressDeltas });
  });

  it('a policy that is given is taken without a word', () => {
    expect(plan({ deltas: { kind: 'latest', count: 3 }, puavoOs: '/p' }, ['/p/config/images'])).toMatchObject({
      settings: { deltas: { kind: 'latest', count: 3 } },
      notes: [],
    });
  });

  it('the options of the old wrapper bring its delta policy', () => {
    const note = 'delta policy puavo: the default with --puavo-os or --repository';
    expect(plan({ repository: 'https://i.example' })).toMatchObject({
      settings: { deltas: { kind: 'puavo' }, baseUrl: 'https://i.example' },
      notes: [note],
    });
    expect(plan({ puavoOs: '/p' }, ['/p/config/images'])).toMatchObject({
      settings: { deltas: { kind: 'puavo' } },
      notes: [note],
    });
    expect(plan({ baseUrl: 'https://i.example' }).settings.deltas).toBeUndefined();
  });

  it('the configuration of a Puavo tree joins those that are named', () => {
    expect(plan({ puavoOs: '/p', seriesConfig: ['/c.json'] }, ['/p/config/images']).settings.selection).toEqual({
      configPaths: ['/c.json', '/p/config/images'],
      executableOnly: false,
    });
  });

  it('a Puavo tree without configuration leaves the names to decide, and is noted', () => {
    const { settings, notes } = plan({ puavoOs: '/p' });
    expect(settings.selection.configPaths).toEqual([]);
    expect(notes[0]).toBe('/p/config/images: no such directory: series come from the names of the images');
  });

  it('with -c and -p the names of executable images decide, as the old wrapper wrote its configuration from them', () => {
    const { settings, notes } = plan({ puavoOs: '/p', config: true }, ['/p/config/images']);
    expect(settings.selection).toEqual({ configPaths: [], executableOnly: true });
    expect(notes[0]).toBe('series come from the names of the images, because of --config');
  });

  it('options that have no meaning any more are accepted with a note', () => {
    const { settings, notes } = plan({ files: false, config: false, deltas: { kind: 'none' } });
    expect(settings.selection).toEqual({ configPaths: [], executableOnly: false });
    expect(notes).toEqual([
      '--no-files is deprecated: configuration is never written, with or without it',
      '--no-config is deprecated: configuration is never written, with or without it',
    ]);
  });

  it('the grace period counts with --prune only', () => {
    expect(plan({ grace: 1000 }).settings.prune).toBeUndefined();
    expect(plan({ grace: 1000, prune: true }).settings.prune).toEqual({ graceMs: 1000 });
  });

  it('what is switched on is on', () => {
    const on = {
      keepGoing: true,
      replace: true,
      breakLock: true,
      dryRun: true,
      link: 'copy',
      maxDeltaRatio: 0.5,
    } as const;
    expect(plan(on).settings).toMatchObject(on);
  });
});
