import { describe, expect, it } from 'vitest';
import { planUpdate } from '../../../src/client/plan/plan-update.js';
import { planWithRoom, type RoomToMake } from '../../../src/client/plan/plan-with-room.js';
import type { PlanRequest } from '../../../src/client/plan/request.js';
import type { RemovableImage } from '../../../src/client/removable-image.js';
import { deltaFile, imageFile, localImage, type Sample, sampleRequest, versionOf } from './series.js';

/** Images of 100 bytes, and the wanted 9 with deltas of 10 from some of them. */
function requestOf(bases: readonly number[], freeBytes: number, more: Partial<Sample> = {}): PlanRequest {
  const numbers = [1, 2, 3, 4];
  return sampleRequest({
    images: [
      ...numbers.map((number) => ({ number, size: 100 })),
      { number: 9, size: 100, diffs: bases.map((base) => [base, 10] as const) },
    ],
    wanted: 9,
    present: numbers.map((number) => localImage(number, 100)),
    ...more,
    device: { freeBytes, ...more.device },
    limits: { wholeImages: false, ...more.limits },
  });
}

function removable(number: number, freedBytes = 100, isPrevious = false): RemovableImage {
  return { filename: imageFile(number), version: versionOf(number), freedBytes, isPrevious };
}

/** What goes, by number, and the base of the path; null where nothing helps. */
function choiceOf(request: PlanRequest, images: readonly RemovableImage[], partialBytes = 0) {
  const plan = planUpdate(request);
  if (plan.kind === 'paths') throw new Error('it fits');
  const room: RoomToMake = { images, partialBytes };
  const found = planWithRoom(request, plan.why.neededBytes ?? 0, room);
  if (found === null) return null;
  const [first] = found.plan.chosen.hops;
  return {
    gone: found.removed.map(({ version }) => Number(version.slice(-2))),
    base: first?.hop.kind === 'delta' ? Number(first.hop.base.slice(-2)) : null,
    discards: found.keptPartials !== null,
  };
}

describe('room for an update that does not fit', () => {
  it('is made by the oldest image that is enough', () => {
    const images = [removable(1), removable(2)];
    expect(choiceOf(requestOf([4], 20), images)).toEqual({ gone: [1], base: 4, discards: false });
  });

  it('is made by as few images as needed', () => {
    const images = [removable(1, 30), removable(2, 30), removable(3, 90)];
    expect(choiceOf(requestOf([4], 20), images)).toMatchObject({ gone: [3] });
    expect(choiceOf(requestOf([4], 10), [removable(1, 30), removable(2, 30), removable(3, 30)])).toMatchObject({
      gone: [1, 2, 3],
    });
  });

  it('is not made by the image that the path begins with', () => {
    expect(choiceOf(requestOf([1], 20), [removable(1), removable(2)])).toMatchObject({ gone: [2], base: 1 });
    expect(choiceOf(requestOf([1], 20), [removable(1)])).toBeNull();
    expect(choiceOf(requestOf([1, 4], 20), [removable(1)])).toMatchObject({ gone: [1], base: 4 });
  });

  it('takes the previous image only where nothing else is enough, and with it no other in vain', () => {
    const previous = removable(3, 100, true);
    expect(choiceOf(requestOf([4], 20), [removable(1, 40), removable(2, 40), previous])).toMatchObject({
      gone: [1, 2],
    });
    expect(choiceOf(requestOf([4], 20), [removable(1, 40), previous])).toMatchObject({ gone: [3] });
    expect(choiceOf(requestOf([4], 0), [removable(1, 40), removable(3, 90, true)])).toMatchObject({ gone: [1, 3] });
  });

  it('is not made where it is not enough', () => {
    expect(choiceOf(requestOf([4], 20), [removable(1, 30), removable(2, 49)])).toBeNull();
    expect(choiceOf(requestOf([4], 20), [])).toBeNull();
  });

  it('is made by unfinished files of other versions before any image', () => {
    const request = requestOf([4], 20, { device: { partial: new Map([[imageFile(2), 80]]) } });
    expect(choiceOf(request, [removable(1)], 80)).toEqual({ gone: [], base: 4, discards: true });
    expect(choiceOf(request, [removable(1)], 79)).toEqual({ gone: [1], base: 4, discards: true });
  });

  it('counts what is there of the wanted image', () => {
    const partial = new Map([[imageFile(9), 60]]);
    const request = requestOf([], 20, { device: { partial }, limits: { wholeImages: true } });
    expect(choiceOf(request, [removable(1, 19)])).toBeNull();
    expect(choiceOf(request, [removable(1, 20)], 10)).toMatchObject({ gone: [1], base: null });
  });

  it('lets a path of several hops fit, with what is spooled', () => {
    const request = sampleRequest({
      images: [
        { number: 1, size: 100 },
        { number: 5, size: 100, diffs: [[4, 10]] },
        { number: 9, size: 100, diffs: [[5, 10, deltaFile(5, 9)]] },
      ],
      wanted: 9,
      present: [localImage(1, 100), localImage(4, 100)],
      device: { freeBytes: 20 },
      limits: { wholeImages: false },
    });
    expect(choiceOf(request, [removable(1, 89)])).toBeNull();
    expect(choiceOf(request, [removable(1, 90)])).toMatchObject({ gone: [1], base: 4 });
  });

  it('keeps what is there of a file on the path, and counts it', () => {
    const delta = deltaFile(4, 9);
    const request = requestOf([4], 20, { device: { partial: new Map([[delta, 8]]) } });
    const found = planWithRoom(request, 100, { images: [removable(1)], partialBytes: 10 });
    expect(found?.keptPartials).toEqual(new Set([imageFile(9), delta]));
    expect(found?.plan.chosen.downloadBytes).toBe(2);
    expect(found?.request.device.freeBytes).toBe(122);
  });

  it('does not count on the room of a delta that is there and is applied from there', () => {
    const request = requestOf([4], 95, { device: { partial: new Map([[deltaFile(4, 9), 8]]) } });
    const found = planWithRoom(request, 100, { images: [removable(1)], partialBytes: 8 });
    expect(found?.keptPartials).toEqual(new Set([imageFile(9)]));
    expect(found?.plan.chosen.downloadBytes).toBe(10);
    expect(found?.removed).toEqual([]);
  });

  it('is looked for with few plans where none helps', () => {
    const { meta, ...request } = requestOf([1], 50);
    let looks = 0;
    const counted: PlanRequest = {
      ...request,
      meta: {
        series: meta.series,
        get images() {
          looks += 1;
          return meta.images;
        },
      },
    };
    planUpdate(counted);
    const looksOfOne = looks;
    looks = 0;
    const images = [removable(1), ...[2, 3].map((number) => removable(number, 5)), removable(4, 5, true)];
    expect(planWithRoom(counted, 100, { images, partialBytes: 0 })).toBeNull();
    expect(looks).toBe(looksOfOne);
  });
});
