import { expect, test } from 'vitest';
import { LineMeter } from '../../../src/client/download/line-meter.js';

const MIB = 1 << 20;
const carrying10 = { bytesPerSecond: 10 * MIB, isLeast: false };

/** A line, and a clock that only what is done with it moves. */
function measured() {
  let now = 0;
  const meter = new LineMeter(() => now);
  const takes = async (ms: number) => {
    now += ms;
  };
  /** A body in pieces of 1 MiB, each waited for and then used for so long, and a wait in vain. */
  const body = async (pieces: number, waitMs: number, useMs: number, vainMs = 0) => {
    using of = meter.body();
    for (let n = 0; n < pieces; n += 1) {
      await of.waitFor(takes(0).then(() => takes(waitMs)));
      of.got(MIB);
      await takes(useMs);
    }
    await of.waitFor(takes(0).then(() => takes(vainMs)));
  };
  return { meter, body };
}

test('a line carries what came in the time that it took, while its reader waited', async () => {
  const { meter, body } = measured();
  await body(8, 100, 0);
  expect(meter.measure).toEqual(carrying10);
});

test('what a reader does while the next bytes come does not make the line faster', async () => {
  const { meter, body } = measured();
  await body(100, 60, 40);
  expect(meter.measure?.bytesPerSecond).toBeCloseTo(10 * MIB, -6);
  expect(meter.measure?.isLeast).toBe(false);
});

test('a body that waited for its reader tells what the line carries at least, until another tells what it does', async () => {
  const { meter, body } = measured();
  await body(8, 10, 90);
  await body(8, 10, 40);
  await body(8, 10, 190);
  expect(meter.measure?.isLeast).toBe(true);
  expect(meter.measure?.bytesPerSecond).toBeCloseTo((1000 * 8 * MIB) / (8 * 50 - 40));
  await body(8, 100, 0);
  expect(meter.measure).toEqual(carrying10);
});

test('a wait in which nothing came any more does not count', async () => {
  const { meter, body } = measured();
  await body(8, 100, 0, 30_000);
  expect(meter.measure).toEqual(carrying10);
});

test('few bytes tell nothing', async () => {
  const { meter, body } = measured();
  await body(3, 100, 0);
  expect(meter.measure).toBe(null);
  await body(1, 100, 0);
  expect(meter.measure).toEqual(carrying10);
});
