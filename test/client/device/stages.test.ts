import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import type { UpdateStage } from '../../../src/client/device/layout.js';
import { plainLayout } from '../../../src/client/device/plain-layout.js';
import { Stages } from '../../../src/client/device/stages.js';
import { UpdateRepositoryError } from '../../../src/errors.js';
import type { RepositoryEvent } from '../../../src/events.js';

/** A layout that takes its time to tell, and what it told and noted. */
function stagesOf(current: string | null, tell: (stage: UpdateStage) => Promise<void> = async () => undefined) {
  const told: string[] = [];
  const events: RepositoryEvent[] = [];
  const layout = {
    ...plainLayout('/nowhere'),
    async tell(stage: UpdateStage) {
      await tell(stage);
      told.push(`${stage.image} ${stage.phase} ${stage.percent}`);
    },
  };
  return { stages: new Stages({ layout, onEvent: (event) => events.push(event) }, current), told, events };
}

test('the current image stands for the wanted one until that is known', async () => {
  const { stages, told } = stagesOf('old.img');
  await stages.enter('starting');
  stages.isFor('new.img');
  await stages.enter('uptodate', 100);
  expect(told).toEqual(['old.img starting 0', 'new.img uptodate 100']);
});

test('nothing is told where no image is known', async () => {
  const { stages, told } = stagesOf(null);
  await stages.enter('error');
  expect(told).toEqual([]);
});

test('per cent are told once a second at most, one after another, before the next phase', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const { stages, told } = stagesOf('new.img', ({ phase }) => sleep(phase === 'finished' ? 0 : 20));
    await stages.enter('image_patch');
    for (let ms = 0; ms <= 2500; ms += 100) {
      stages.isAt(ms / 25);
      vi.advanceTimersByTime(100);
      await sleep(ms % 1000 === 0 ? 30 : 0);
    }
    vi.advanceTimersByTime(1000);
    stages.isAt(100);
    await stages.enter('finished', 100);
    const percents = told.slice(1, -1);
    expect(told.at(0)).toBe('new.img image_patch 0');
    expect(told.at(-1)).toBe('new.img finished 100');
    expect(percents).toEqual([40, 80, 100].map((percent) => `new.img image_patch ${percent}`));
  } finally {
    vi.useRealTimers();
  }
});

test('what cannot be told is noted once', async () => {
  const { stages, events } = stagesOf('new.img', () =>
    Promise.reject(new UpdateRepositoryError('NO_SPACE', 'stats: write it: no space left')),
  );
  await stages.enter('starting');
  await stages.enter('error');
  expect(events).toEqual([
    { type: 'note', level: 'warning', message: expect.stringContaining('stats: write it: no space left') },
  ]);
});
