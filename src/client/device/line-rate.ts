import { hasCode, UpdateRepositoryError } from '../../errors.js';
import { readTextFile, writeFileAtomic } from '../../io/atomic-file.js';
import { jsonMember, parseJson, wrongJson } from '../../metadata/json-node.js';
import type { LineMeasure } from '../download/line-meter.js';
import type { Device } from './device.js';
import { stateOf } from './plain-file.js';

/*
 * line.json in the private directory of a device: what downloads have achieved.
 *
 *     { "format": 1, "bytesPerSecond": 2500000 }
 */
const FORMAT = 1;
const MAX_BYTES = 4096;
/** No line that an image comes over is slower, and no faster one is told from it by any plan. */
const [LEAST_RATE, MOST_RATE] = [10_000, 1_000_000_000];

/**
 * The bytes a second that downloads of earlier runs achieved; null where nobody knows, or where the file is damaged.
 *
 * @throws UpdateRepositoryError IO
 */
export async function readLineRate({ place }: Pick<Device, 'place'>): Promise<number | null> {
  try {
    if ((await stateOf(place.linePath)) === null) return null;
    const text = await readTextFile(place.linePath, MAX_BYTES);
    return text === null ? null : parseRate(text, place.linePath);
  } catch (error) {
    if (hasCode(error, 'FORMAT')) return null;
    throw error;
  }
}

/**
 * Remembers what the downloads of this run achieved: half of it counts, and half what was known before. What the line carries
 * at least counts only where it is more than that, or than what is `assumed` of a line that nothing is known of. Where it
 * fails there is a note, since the update does not depend on it.
 */
export async function rememberLineRate(
  device: Pick<Device, 'place' | 'onEvent'>,
  measure: LineMeasure | null,
  assumed: number,
): Promise<void> {
  if (measure === null) return;
  const { place, onEvent } = device;
  try {
    const { bytesPerSecond, isLeast } = measure;
    const before = await readLineRate(device);
    if (isLeast && bytesPerSecond <= (before ?? assumed)) return;
    const mean = isLeast || before === null ? bytesPerSecond : (before + bytesPerSecond) / 2;
    const rate = Math.round(Math.min(MOST_RATE, Math.max(LEAST_RATE, mean)));
    const text = `${JSON.stringify({ format: FORMAT, bytesPerSecond: rate })}\n`;
    await writeFileAtomic(place.linePath, text, place.temporaryPath('line.json'));
  } catch (error) {
    if (!(error instanceof UpdateRepositoryError)) throw error;
    const message = `the rate of the line is not remembered: ${error.message}`;
    onEvent({ type: 'note', level: 'warning', subject: place.linePath, message });
  }
}

function parseRate(text: string, file: string): number {
  const root = parseJson(text, { file, code: 'FORMAT' });
  const format = jsonMember(root, 'format');
  if (format.value !== FORMAT) throw wrongJson(format, `the format ${FORMAT} that this program knows`);
  const rate = jsonMember(root, 'bytesPerSecond');
  const { value } = rate;
  if (typeof value === 'number' && value >= LEAST_RATE && value <= MOST_RATE) return value;
  throw wrongJson(rate, `a number from ${LEAST_RATE} to ${MOST_RATE}`);
}
