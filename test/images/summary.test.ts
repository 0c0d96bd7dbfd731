import { expect, it } from 'vitest';
import type { BuildRequest } from '../../src/images/build-request.js';
import { wantedDeltas } from '../../src/images/delta-policy.js';
import { summarizeSeries } from '../../src/images/summary.js';
import type { ImageName } from '../../src/metadata/image-name.js';
import { dailyImages, seriesOf } from './series-names.js';
import { digests } from './support/statuses.js';

const names = dailyImages(4) as [ImageName, ImageName, ImageName, ImageName];

it('the summary of a series counts what is there, and what its deltas save against whole images', () => {
  const series = seriesOf(names);
  const wanted = wantedDeltas(series, { kind: 'neighbours' });
  const request: BuildRequest = { series: [series], deltas: new Map([[series, wanted]]), images: new Map(), notes: [] };
  // Of the deltas A>B, B>C, D>C and C>D the second is too large, and the last could not be made.
  const [first, second, third] = wanted.map(({ fileName }) => fileName) as [string, string, string];
  const sizes = [1000, 2000, 4000];
  const images = new Map(
    sizes.map((sizeBytes, day) => [names[day]?.fileName ?? '', { sizeBytes, digests: digests('a'), puavoConf: {} }]),
  );
  const deltas = new Map([
    [first, { sizeBytes: 100, digests: digests('d') }],
    [third, { sizeBytes: 300, digests: digests('d') }],
  ]);
  expect(summarizeSeries(request, { images, deltas, compressed: new Map(), tooLarge: new Set([second]) })).toEqual([
    {
      series: series.name,
      images: 3,
      imageBytes: 7000,
      deltas: 2,
      deltaBytes: 400,
      savedBytes: 2000 - 100 + (4000 - 300),
      deltasTooLarge: 1,
    },
  ]);
});
