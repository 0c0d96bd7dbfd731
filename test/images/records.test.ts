import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDeltaRecord, parseDropped, parseImageRecord, parseSettings } from '../../src/images/records.js';
import { compressedRecord, deltaRecord, imageRecord, tooLargeRecord } from './support/statuses.js';

const parsers = { parseSettings, parseImageRecord, parseDeltaRecord, parseDropped };

describe('what a mirror remembers', () => {
  it('is read back as it was written', () => {
    const image = imageRecord('a', { innerName: 'x', puavoConf: { key: { default: '1' } }, kind: 'squashfs' });
    expect(parseImageRecord(stored(image))).toEqual(image);
    expect(parseImageRecord(stored(imageRecord('a', { published: null })))).toEqual(
      imageRecord('a', { published: null }),
    );
    const compressed = [compressedRecord('a', 'b'), compressedRecord('a', 'b', { kind: 'not-worth-it' })];
    for (const record of [deltaRecord('a', 'b'), tooLargeRecord('a', 'b', 7), ...compressed]) {
      expect(parseDeltaRecord(stored(record))).toEqual(record);
    }
    const lifetimes = { timestamp: 3_600_000 };
    const settings = {
      baseUrl: 'https://images.example.org',
      compressDeltas: true,
      bestBeforeMs: 7,
      keysDir: '/srv/keys',
      lifetimes,
    };
    expect(parseSettings({ ...settings, deltas: 'latest:2' })).toEqual({
      ...settings,
      deltas: { kind: 'latest', count: 2 },
    });
    const none = {
      baseUrl: null,
      deltas: null,
      compressDeltas: false,
      bestBeforeMs: null,
      keysDir: null,
      lifetimes: {},
    };
    expect(
      parseSettings({ baseUrl: null, deltas: 'some', keysDir: 'keys', lifetimes: { timestamp: 1, other: 9e9 } }),
    ).toEqual(none);
    const dropped = { 'rdiffs/x.rdiff': '2024-01-01T00:00:00.000Z' };
    expect(parseDropped(dropped)).toEqual(new Map(Object.entries(dropped)));
  });

  it.each(Object.entries(parsers))('%s takes any JSON for unknown that is no object, and never throws', (_, parse) => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const parsed = parse(value);
        if (typeof value !== 'object' || value === null || Array.isArray(value)) expect(parsed).toBeNull();
      }),
    );
  });

  it.each(['source', 'digests', 'kind', 'innerName', 'puavoConf'])('an image without its %s is unknown', (member) => {
    const { [member]: _, ...rest } = stored(imageRecord('a')) as Record<string, unknown>;
    expect(parseImageRecord(rest)).toBeNull();
  });

  it.each(['baseSha256', 'targetSha256', 'outcome'])('a delta without its %s is unknown', (member) => {
    const { [member]: _, ...rest } = stored(deltaRecord('a', 'b')) as Record<string, unknown>;
    expect(parseDeltaRecord(rest)).toBeNull();
  });

  it('what is known of a compressed delta is forgotten alone where it is damaged or of an earlier version', () => {
    const { compressed, ...earlier } = compressedRecord('a', 'b');
    for (const wrong of [{}, { ...compressed, deltaSha256: 7 }, { ...compressed, outcome: { kind: 'too-large' } }]) {
      expect(parseDeltaRecord(stored({ ...earlier, compressed: wrong }))).toEqual(deltaRecord('a', 'b'));
    }
    expect(parseDeltaRecord(stored(earlier))).toEqual(deltaRecord('a', 'b'));
  });

  it('digests that are none make an image unknown', () => {
    const { cksum, sha256, sha512 } = imageRecord('a').digests;
    for (const wrong of [
      { cksum: '01', sha256, sha512 },
      { cksum, sha256: sha256.toUpperCase(), sha512 },
      { cksum, sha256, sha512: sha512.slice(1) },
      { cksum: 7, sha256, sha512 },
    ]) {
      expect(parseImageRecord({ ...imageRecord('a'), digests: wrong }), JSON.stringify(wrong)).toBeNull();
    }
  });

  it('times that are none are left out of the files that were dropped', () => {
    expect(parseDropped({ a: 'yesterday', b: 7, c: '2024-01-01T00:00:00.000Z' })?.size).toBe(1);
  });
});

function stored(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
