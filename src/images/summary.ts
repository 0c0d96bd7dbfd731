import type { SeriesSummary } from '../events.js';
import type { BuildRequest } from './build-request.js';
import type { MirrorContents } from './contents.js';

/** What a mirror has of each series, in order. */
export function summarizeSeries(request: BuildRequest, contents: MirrorContents): SeriesSummary[] {
  return request.series.map((series) => {
    const images = series.images.flatMap(({ fileName }) => contents.images.get(fileName) ?? []);
    const wanted = request.deltas.get(series) ?? [];
    const deltas = wanted.flatMap(({ fileName, target }) => {
      const delta = contents.deltas.get(fileName);
      const image = contents.images.get(target.fileName);
      return delta === undefined || image === undefined
        ? []
        : [{ bytes: delta.sizeBytes, targetBytes: image.sizeBytes }];
    });
    return {
      series: series.name,
      images: images.length,
      imageBytes: sum(images.map(({ sizeBytes }) => sizeBytes)),
      deltas: deltas.length,
      deltaBytes: sum(deltas.map(({ bytes }) => bytes)),
      savedBytes: sum(deltas.map(({ bytes, targetBytes }) => targetBytes - bytes)),
      deltasTooLarge: wanted.filter(({ fileName }) => contents.tooLarge.has(fileName)).length,
    };
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
