import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readLineRate, rememberLineRate } from '../../../src/client/device/line-rate.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { opened } from './support/device-directory.js';

async function openedDevice() {
  const { device, events } = await opened(await temporaryDirectory());
  return { device, events, path: device.place.linePath };
}

describe('the rate of the line', () => {
  test('is half what this run achieved, and half what was known before', async () => {
    const { device, path } = await openedDevice();
    expect(await readLineRate(device)).toBe(null);
    await rememberLineRate(device, { bytesPerSecond: 3_000_000, isLeast: false }, 4_000_000);
    expect(await readLineRate(device)).toBe(3_000_000);
    await rememberLineRate(device, { bytesPerSecond: 1_000_000, isLeast: false }, 4_000_000);
    expect(await readLineRate(device)).toBe(2_000_000);
    expect(readFileSync(path, 'utf8')).toBe('{"format":1,"bytesPerSecond":2000000}\n');
    await rememberLineRate(device, null, 4_000_000);
    expect(await readLineRate(device)).toBe(2_000_000);
  });

  test('at least is what this run achieved where that is more than was known, or assumed', async () => {
    const { device } = await openedDevice();
    const achieved = async (bytesPerSecond: number) => {
      await rememberLineRate(device, { bytesPerSecond, isLeast: true }, 4_000_000);
      return await readLineRate(device);
    };
    expect(await achieved(3_000_000)).toBe(null);
    expect(await achieved(9_000_000)).toBe(9_000_000);
    expect(await achieved(5_000_000)).toBe(9_000_000);
    expect(await achieved(10_000_000)).toBe(10_000_000);
  });

  test.each([
    [1, 10_000],
    [5e12, 1_000_000_000],
  ])('of %d is remembered as %d', async (measured, remembered) => {
    const { device } = await openedDevice();
    await rememberLineRate(device, { bytesPerSecond: measured, isLeast: false }, 4_000_000);
    expect(await readLineRate(device)).toBe(remembered);
  });

  test.each([
    ['', 'nothing'],
    ['{}', 'no rate'],
    ['{"format":2,"bytesPerSecond":2000000}', 'another format'],
    ['{"format":1,"bytesPerSecond":"2000000"}', 'a text'],
    ['{"format":1,"bytesPerSecond":0}', 'nought'],
    ['{"format":1,"bytesPerSecond":-2000000}', 'less than nothing'],
    ['{"format":1,"bytesPerSecond":1e300}', 'more than there is'],
    [`{"format":1,"bytesPerSecond":2000000,"x":"${'x'.repeat(5000)}"}`, 'too long a file'],
  ])('is not known from %j: %s', async (text) => {
    const { device, path } = await openedDevice();
    writeFileSync(path, text);
    expect(await readLineRate(device)).toBe(null);
    await rememberLineRate(device, { bytesPerSecond: 3_000_000, isLeast: false }, 4_000_000);
    expect(await readLineRate(device)).toBe(3_000_000);
  });

  test('is none or a sane one, whatever is in the file', async () => {
    const { device, path } = await openedDevice();
    const value = fc.oneof(fc.double(), fc.integer(), fc.jsonValue());
    const text = fc.oneof(
      value.map((bytesPerSecond) => JSON.stringify({ format: 1, bytesPerSecond })),
      fc.json(),
      fc.string({ unit: 'binary' }),
    );
    await fc.assert(
      fc.asyncProperty(text, async (written) => {
        writeFileSync(path, written);
        const rate = (await readLineRate(device)) ?? 10_000;
        expect(rate).toBeGreaterThanOrEqual(10_000);
        expect(rate).toBeLessThanOrEqual(1_000_000_000);
      }),
      { numRuns: 200 },
    );
  });

  test('is not read through a link, which is replaced', async () => {
    const { device, path } = await openedDevice();
    const outside = join(await temporaryDirectory(), 'outside.json');
    writeFileSync(outside, '{"format":1,"bytesPerSecond":2000000}');
    symlinkSync(outside, path);
    expect(await readLineRate(device)).toBe(null);
    await rememberLineRate(device, { bytesPerSecond: 3_000_000, isLeast: false }, 4_000_000);
    expect(await readLineRate(device)).toBe(3_000_000);
    expect(readFileSync(outside, 'utf8')).toContain('2000000');
  });

  test('that cannot be remembered is a note and no error', async () => {
    const { device, events, path } = await openedDevice();
    mkdirSync(join(path, 'in the way'), { recursive: true });
    await rememberLineRate(device, { bytesPerSecond: 3_000_000, isLeast: false }, 4_000_000);
    const message = expect.stringContaining('the rate of the line is not remembered');
    expect(events).toContainEqual(expect.objectContaining({ type: 'note', level: 'warning', message }));
  });
});
