import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseTarget, type Target } from '../../../src/client/policy/choose-target.js';
import { hasCode } from '../../../src/errors.js';
import { type ImageVersion, parseSeriesName } from '../../../src/metadata/brands.js';
import { offerOf, series, version } from './offers.js';

const latest = { kind: 'latest' } as const;
const free = { floor: null, allowDowngrade: false, barriers: [] };

function exactly(day: number) {
  return { kind: 'version', version: version(day) } as const;
}

function stable(day: number) {
  return { kind: 'channel', path: 'channels/stable.json', channel: { series, version: version(day) } } as const;
}

function shown(target: Target): string {
  return `${target.kind} ${target.kind === 'update' ? target.image.version : target.version} ${target.reason}`;
}

describe('the target of an update', () => {
  it.each([
    [null, latest, `update ${version(3)} is the newest`],
    [1, latest, `update ${version(3)} is the newest`],
    [3, latest, `stay ${version(3)} is the newest`],
    [4, latest, `stay ${version(4)} is above the newest, ${version(3)}`],
    [1, exactly(2), `update ${version(2)} is what was asked for`],
    [2, exactly(2), `stay ${version(2)} is what was asked for`],
    [1, stable(2), `update ${version(2)} is what channels/stable.json names`],
    [3, stable(2), `stay ${version(3)} is above what channels/stable.json names, ${version(2)}`],
  ])('from %s', (current, wanted, expected) => {
    const from = current === null ? null : version(current);
    expect(shown(chooseTarget(offerOf(2, 3, 1), from, wanted, free))).toBe(expected);
  });

  it('is held at the lowest barrier above the current version, and goes on from there', () => {
    const limits = { ...free, barriers: [version(4), version(2), version(9), version(1)] };
    const offer = offerOf(1, 2, 3, 4, 5);
    expect(shown(chooseTarget(offer, version(1), latest, limits))).toBe(
      `update ${version(2)} is a barrier on the way to ${version(5)}, which is the newest`,
    );
    expect(chooseTarget(offer, version(2), latest, limits)).toMatchObject({
      image: { version: version(4) },
      wanted: version(5),
    });
    expect(shown(chooseTarget(offer, version(4), latest, limits))).toBe(`update ${version(5)} is the newest`);
  });

  it('is held at barriers of the mirror as at those of the policy', () => {
    const offer = offerOf(1, 2, 3, 4);
    const images = offer.images.map((image) =>
      image.version === version(3) ? { ...image, barrier: true as const } : image,
    );
    const limits = { ...free, barriers: [version(2)] };
    const next = (day: number) => chooseTarget({ ...offer, images }, version(day), latest, limits);
    expect(next(1)).toMatchObject({ image: { version: version(2) } });
    expect(next(2)).toMatchObject({ image: { version: version(3) } });
    expect(next(3)).toMatchObject({ image: { version: version(4) } });
  });

  it('has no barriers where nothing is installed, nor downwards', () => {
    const limits = { ...free, allowDowngrade: true, barriers: [version(2)] };
    expect(chooseTarget(offerOf(1, 2, 3), null, latest, limits)).toMatchObject({ image: { version: version(3) } });
    expect(chooseTarget(offerOf(1, 2, 3), version(3), exactly(1), limits)).toMatchObject({
      image: { version: version(1) },
    });
  });

  it('may itself be a barrier, or the floor', () => {
    const limits = { ...free, barriers: [version(3)], floor: version(3) };
    expect(shown(chooseTarget(offerOf(3), version(1), latest, limits))).toBe(`update ${version(3)} is the newest`);
  });

  it('goes down to what is wanted where downgrades are allowed, whoever wants it', () => {
    const limits = { ...free, allowDowngrade: true };
    for (const wanted of [latest, exactly(2), stable(2)]) {
      expect(chooseTarget(offerOf(1, 2), version(5), wanted, limits)).toMatchObject({
        kind: 'update',
        image: { version: version(2) },
      });
    }
  });

  it('of a series without images is what there is', () => {
    expect(chooseTarget(offerOf(), version(1), latest, free)).toMatchObject({ kind: 'stay', version: version(1) });
    expect(() => chooseTarget(offerOf(), null, latest, free)).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND', message: `${series}: expected an image on the mirror, found none` }),
    );
  });

  it.each([
    [1, exactly(7), free, `expected the version ${version(7)}, which is what was asked for, found no such image`],
    [1, stable(7), free, `expected the version ${version(7)}, which is what channels/stable.json names, found no such`],
    [3, exactly(2), free, `expected a version above ${version(3)}, which is there, found ${version(2)}, a downgrade`],
    [
      null,
      latest,
      { ...free, floor: version(4) },
      `not below the floor ${version(4)}, found ${version(3)}, which is the n`,
    ],
    [3, exactly(2), { ...free, allowDowngrade: true, floor: version(3) }, `not below the floor ${version(3)}`],
    [
      0,
      latest,
      { ...free, barriers: [version(1)], floor: version(2) },
      `floor ${version(2)}, found ${version(1)}, which is a`,
    ],
    [0, exactly(3), { ...free, barriers: [version(0), version(102)] }, null],
    [2, stable(3), { ...free, barriers: [version(3)] }, null],
  ])(
    'from %s: what the policy forbids or the mirror lacks is refused with its reason',
    (current, wanted, limits, message) => {
      const choose = () => chooseTarget(offerOf(1, 2, 3), current === null ? null : version(current), wanted, limits);
      if (message === null) expect(choose()).toMatchObject({ image: { version: version(3) } });
      else
        expect(choose).toThrow(expect.objectContaining({ code: 'CONFIG', message: expect.stringContaining(message) }));
    },
  );

  it('is refused where the mirror no longer has a barrier: it must not be skipped', () => {
    const limits = { ...free, barriers: [version(2)] };
    expect(() => chooseTarget(offerOf(1, 3), version(1), latest, limits)).toThrow(
      `expected the version ${version(2)}, which is a barrier on the way to ${version(3)}`,
    );
  });

  it('is refused where a channel is of another series', () => {
    const channel = { series: parseSeriesName('other-amd64', 'test'), version: version(1) };
    expect(() => chooseTarget(offerOf(1), null, { kind: 'channel', path: 'c.json', channel }, free)).toThrow(
      `c.json: .series: expected ${series}, the series of this update, found other-amd64`,
    );
  });
});

describe('whatever the mirror, the device and the policy', () => {
  const day = fc.integer({ min: 1, max: 9 });
  const days = fc.uniqueArray(day, { maxLength: 9 });
  const situation = fc.record({
    offer: days,
    current: fc.option(day),
    wanted: fc.oneof(fc.constant(latest), day.map(exactly), day.map(stable)),
    limits: fc.record({
      floor: fc.option(day.map(version)),
      allowDowngrade: fc.boolean(),
      barriers: days.map((list) => list.map(version)),
    }),
  });

  it('no target breaks a limit, and a device gets by them to where it wants to be', () => {
    let updates = 0;
    fc.assert(
      fc.property(situation, ({ offer, current, wanted, limits }) => {
        let at: ImageVersion | null = current === null ? null : version(current);
        for (let step = 0; ; step += 1) {
          const target = targetOrNull(() => chooseTarget(offerOf(...offer), at, wanted, limits));
          if (target === null) return;
          if (target.kind === 'stay') {
            expect(target.version).toBe(at);
            return;
          }
          const to = target.image.version;
          const isUpward = at === null || to > at;
          expect(isUpward || limits.allowDowngrade).toBe(true);
          expect(limits.floor === null || to >= limits.floor).toBe(true);
          const from = at;
          const skipped = limits.barriers.filter((one) => from !== null && one > from && one < to);
          expect(skipped).toEqual([]);
          expect(isUpward ? to <= target.wanted : to === target.wanted).toBe(true);
          expect(step).toBeLessThanOrEqual(limits.barriers.length);
          updates += 1;
          at = to;
        }
      }),
      { numRuns: 2000 },
    );
    expect(updates).toBeGreaterThan(200);
  });

  it('the order of images and barriers does not matter', () => {
    fc.assert(
      fc.property(situation, ({ offer, current, wanted, limits }) => {
        const from = current === null ? null : version(current);
        const one = outcome(() => chooseTarget(offerOf(...offer), from, wanted, limits));
        const turned = { ...limits, barriers: [...limits.barriers].reverse() };
        expect(outcome(() => chooseTarget(offerOf(...[...offer].reverse()), from, wanted, turned))).toBe(one);
      }),
    );
  });
});

function targetOrNull(choose: () => Target): Target | null {
  try {
    return choose();
  } catch (error) {
    if (hasCode(error, 'CONFIG') || hasCode(error, 'NOT_FOUND')) return null;
    throw error;
  }
}

function outcome(choose: () => Target): string {
  try {
    return shown(choose());
  } catch (error) {
    return String(error);
  }
}
