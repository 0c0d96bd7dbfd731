import type { UpdateSummaryEvent } from '../events.js';
import { hooksOf } from './activate-target.js';
import type { Hooks } from './device/make-current.js';
import { rollback } from './device/rollback.js';
import { versionOf } from './goal.js';
import { type DevicePlace, openPlace, type SessionOptions } from './session.js';

/**
 * Makes the image of a device current again that was it before, and the current one the previous.
 *
 * @throws UpdateRepositoryError what {@link openDevice} and {@link rollback} throw
 */
export async function rollBackDevice(
  place: DevicePlace,
  hooks: Partial<Hooks>,
  { signal, onEvent }: Pick<SessionOptions, 'signal' | 'onEvent'>,
): Promise<UpdateSummaryEvent> {
  const startedAt = performance.now();
  const device = await openPlace(place, { signal, onEvent }, 'change');
  try {
    const from = versionOf((await device.layout.read()).current);
    const { current } = await rollback(device, hooksOf(hooks));
    const summary: UpdateSummaryEvent = {
      type: 'update-summary',
      dir: place.dir,
      series: null,
      from,
      to: versionOf(current),
      changed: true,
      authenticated: false,
      reason: 'was current before',
      plannedBytes: 0,
      fetchedBytes: 0,
      indexBytes: 0,
      durationMs: Math.round(performance.now() - startedAt),
    };
    onEvent(summary);
    return summary;
  } finally {
    await device.close();
  }
}
