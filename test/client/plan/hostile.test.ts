import { describe, expect, it } from 'vitest';
import { planUpdate, type UpdatePlan } from '../../../src/client/plan/plan-update.js';
import type { PlanRequest } from '../../../src/client/plan/request.js';
import type { MetaDiff, MetaImage } from '../../../src/metadata/meta.js';
import { pseudoRandomNumbers } from '../../support/pseudo-random.js';
import { localImage, sampleDiff, sampleImage, sampleRequest } from './series.js';

const IMAGES = 10_000;
const DIFFS = 1_000;
const LISTS = 10;
const WANTED = IMAGES - 1;
const HUGE = Number.MAX_SAFE_INTEGER;
/** Of processor time, which does not run while others have the processor. */
const MAX_MS = 20_000;
const MAX_KIB = 200 * 1024;

/**
 * A mirror of 10,000 images, each with 1,000 deltas: ten lists of them are shared, or there would be no room for the meta
 * file itself. Some lead from an image to itself, two each from the same base, and all together round in circles. Of
 * each delta a part is on disk, so that costs and disk do not go together.
 */
function hostileRequest(imageSize: number, sizeOf: (random: () => number) => number): PlanRequest {
  const random = pseudoRandomNumbers('hostile');
  const lists = Array.from({ length: LISTS }, (_, list): MetaDiff[] =>
    Array.from({ length: DIFFS }, (_, index) => {
      const base = (list * DIFFS + (index >> 1) * 7) % IMAGES;
      return sampleDiff(base, list, sizeOf(random), `${list}-${index}.rdiff`);
    }),
  );
  const images = Array.from({ length: IMAGES }, (_, number): MetaImage => {
    return { ...sampleImage({ number, size: imageSize }), diffs: lists[number % LISTS]! };
  });
  const partial = new Map(lists.flat().map(({ filename, size }) => [filename, Math.floor(size * random())]));
  const roomy = sampleRequest({ images: [], wanted: WANTED, present: [localImage(5, imageSize)], device: { partial } });
  return { ...roomy, meta: { ...roomy.meta, images } };
}

function planInBounds(request: PlanRequest): UpdatePlan {
  const peak = process.resourceUsage().maxRSS;
  const start = process.cpuUsage();
  const plan = planUpdate(request);
  expect(process.cpuUsage(start).user / 1000).toBeLessThan(MAX_MS);
  expect(process.resourceUsage().maxRSS - peak).toBeLessThan(MAX_KIB);
  return plan;
}

describe('a meta file that is made to keep a device busy', { timeout: 6 * MAX_MS }, () => {
  it.each([
    ['of deltas of nothing', 1e6, () => 0],
    ['of deltas of all sizes', 1e6, (random: () => number) => Math.floor(random() * 1e5)],
    ['of deltas as large as numbers are', HUGE, () => HUGE],
    ['of deltas just small enough', HUGE, () => Math.floor(HUGE * 0.79)],
  ])('%s is planned in bounded time and memory', (_, imageSize, sizeOf) => {
    const request = hostileRequest(imageSize, sizeOf);
    for (const [maxHops, freeBytes] of [
      [50, HUGE * 60],
      [8, imageSize * 1.1],
      [8, 1],
    ] as const) {
      const { device, limits } = request;
      const plan = planInBounds({ ...request, device: { ...device, freeBytes }, limits: { ...limits, maxHops } });
      expect(plan.kind).toBe(freeBytes === 1 ? 'no-path' : 'paths');
    }
  });

  it.each([
    ['leads to no version on the device', IMAGES, 1e6, 'no-path'],
    ['has ways of every cost and size', 8007, 1e6 + 2e4, 'paths'],
  ])('that %s is searched only so far', (_, here, freeBytes, kind) => {
    const { device, limits, ...request } = hostileRequest(1e6, (random) => Math.floor(random() * 1e5));
    const plan = planInBounds({
      ...request,
      device: { ...device, present: [localImage(here, 1e6)], freeBytes },
      limits: { ...limits, wholeImages: false, maxHops: 1000 },
    });
    expect(plan.kind).toBe(kind);
  });
});
