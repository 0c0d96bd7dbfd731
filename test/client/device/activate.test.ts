import { existsSync, mkdirSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type ActivateOptions, activate } from '../../../src/client/device/activate.js';
import { surveyImages } from '../../../src/client/device/survey.js';
import { eventsOf, notes, startedJobs } from '../../images/support/events.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { caught } from './support/caught.js';
import {
  addImage,
  addMade,
  dayBytes,
  dayImage,
  dayPublished,
  metaOf,
  NO_HOOKS,
  opened,
  textIn,
} from './support/device-directory.js';

function options(changes: Partial<ActivateOptions> = {}): ActivateOptions {
  return { hooks: NO_HOOKS, keep: null, protectedNames: new Set(), ...changes };
}

function links(dir: string): { current: string | null; previous: string | null } {
  const target = (name: string) => (readdirSync(dir).includes(name) ? readlinkSync(join(dir, name)) : null);
  return { current: target('current'), previous: target('previous') };
}

/** A directory in which the image of day 1 is current and that of day 2 is made. */
async function readyDirectory(): Promise<string> {
  const dir = await temporaryDirectory();
  addImage(dir, 1);
  symlinkSync(dayImage(1), join(dir, 'current'));
  addMade(dir, 2);
  return dir;
}

it('puts the image into its place, lets current lead to it and previous to the old one', async () => {
  const dir = await readyDirectory();
  const { device, events } = await opened(dir);
  expect(await activate(device, dayPublished(2), options())).toEqual({
    version: '20240102060000',
    path: join(dir, dayImage(2)),
    changed: true,
  });
  expect(links(dir)).toEqual({ current: dayImage(2), previous: dayImage(1) });
  expect(textIn(dir, 'current')).toBe(dayBytes(2).toString());
  expect(readdirSync(join(dir, '.update-repository')).sort()).toEqual(['images.json', 'lock', 'partial']);
  expect(readdirSync(device.place.partialDir)).toEqual([]);
  // It is known whose bytes they are.
  expect(await surveyImages(device, metaOf([2]))).toHaveLength(1);
  expect(startedJobs({ events })).toEqual([]);
});

it('works on a device without any image', async () => {
  const dir = await temporaryDirectory();
  addMade(dir, 1);
  const { device } = await opened(dir);
  await activate(device, dayPublished(1), options());
  expect(links(dir)).toEqual({ current: dayImage(1), previous: null });
});

it('does nothing to an image that is current already', async () => {
  const dir = await readyDirectory();
  const { device } = await opened(dir);
  await activate(device, dayPublished(2), options());
  const hooks = { ...NO_HOOKS, preActivate: 'touch pre', postActivate: 'touch post' };
  expect(await activate(device, dayPublished(2), options({ hooks }))).toMatchObject({ changed: false });
  expect(links(dir)).toEqual({ current: dayImage(2), previous: dayImage(1) });
  expect(readdirSync(dir)).not.toContain('post');
});

it('takes an image that is in the directory already, when it is whole', async () => {
  const dir = await temporaryDirectory();
  for (const day of [1, 2]) addImage(dir, day);
  writeFileSync(join(dir, dayImage(3)), Buffer.alloc(dayBytes(3).length));
  const { device } = await opened(dir);
  await activate(device, dayPublished(2), options());
  expect(links(dir)).toEqual({ current: dayImage(2), previous: null });
  const error = await caught(activate(device, dayPublished(3), options()));
  expect(error).toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining(dayPublished(3).sha256) });
  expect(links(dir).current).toBe(dayImage(2));
});

it('keeps a file with other bytes aside whose name the image takes', async () => {
  const dir = await readyDirectory();
  writeFileSync(join(dir, dayImage(2)), 'mine');
  writeFileSync(join(dir, `${dayImage(2)}.damaged`), 'older');
  const { device, events } = await opened(dir);
  await activate(device, dayPublished(2), options());
  expect(textIn(dir, 'current')).toBe(dayBytes(2).toString());
  expect(textIn(dir, `${dayImage(2)}.damaged`)).toBe('older');
  expect(textIn(dir, `${dayImage(2)}.damaged-2`)).toBe('mine');
  expect(notes({ events })).toContainEqual(expect.stringContaining(`${dayImage(2)}.damaged-2: is not as published`));
});

it('refuses a made image of another size, and one whose name is no image name', async () => {
  const dir = await readyDirectory();
  writeFileSync(join(dir, '.update-repository', 'partial', 'ltsp.img'), dayBytes(2));
  const { device } = await opened(dir);
  const size = (dayPublished(2).size ?? 0) + 1;
  expect(await caught(activate(device, { ...dayPublished(2), size }, options()))).toMatchObject({
    code: 'VERIFICATION',
    message: expect.stringMatching(/: expected 20003 bytes, found 20002$/),
  });
  expect(await caught(activate(device, { ...dayPublished(2), filename: 'ltsp.img' }, options()))).toMatchObject({
    code: 'NAME',
  });
  expect(links(dir)).toEqual({ current: dayImage(1), previous: null });
});

it('loses nothing when its lock is taken away', async () => {
  const dir = await readyDirectory();
  const { device } = await opened(dir);
  await opened(dir, { breakLock: true });
  expect(await caught(activate(device, dayPublished(2), options()))).toMatchObject({ code: 'LOCKED' });
  expect(links(dir)).toEqual({ current: dayImage(1), previous: null });
  expect(existsSync(device.place.partialPath(dayImage(2)))).toBe(true);
});

describe('its hooks', () => {
  const tell =
    'echo "$UPDATE_REPOSITORY_VERSION $UPDATE_REPOSITORY_IMAGE $UPDATE_REPOSITORY_PREVIOUS_IMAGE $(readlink current)"';

  it('run before and after the switch and know the image', async () => {
    const dir = await readyDirectory();
    const { device, events } = await opened(dir);
    await activate(
      device,
      dayPublished(2),
      options({ hooks: { ...NO_HOOKS, preActivate: tell, postActivate: `${tell} >&2` } }),
    );
    const [before, after] = eventsOf({ events }, 'note').map(({ subject, message }) => `${subject}: ${message}`);
    const paths = `20240102060000 ${join(dir, dayImage(2))} ${join(dir, dayImage(1))}`;
    expect(before).toBe(`pre-activate: ${paths} ${dayImage(1)}`);
    expect(after).toBe(`post-activate: ${paths} ${dayImage(2)}`);
  });

  it.each([
    {
      name: 'fails',
      command: 'echo no; exit 3',
      timeoutMs: 10_000,
      found: 'expected exit code 0, found 3: echo no; exit 3',
    },
    {
      name: 'is killed',
      command: 'kill -9 $$',
      timeoutMs: 10_000,
      found: 'expected exit code 0, found that SIGKILL ended it: kill -9 $$',
    },
    {
      name: 'takes too long',
      command: 'sleep 30',
      timeoutMs: 300,
      found: 'expected its end within 0.3 s, found it still running: sleep 30',
    },
  ])(
    'leave the old image current when pre-activate $name, the new one on the disk',
    async ({ command, timeoutMs, found }) => {
      const dir = await readyDirectory();
      const { device } = await opened(dir);
      const hooks = { ...NO_HOOKS, preActivate: command, timeoutMs };
      const error = await caught(
        activate(device, dayPublished(2), options({ hooks: { ...hooks, postActivate: 'touch post' } })),
      );
      expect(error).toMatchObject({ code: 'HOOK', message: `pre-activate hook: ${found}` });
      expect(links(dir)).toEqual({ current: dayImage(1), previous: null });
      expect(readdirSync(dir)).not.toContain('post');
      await activate(device, dayPublished(2), options());
      expect(links(dir)).toEqual({ current: dayImage(2), previous: dayImage(1) });
    },
  );

  it('leave the new image current when post-activate fails, which is told', async () => {
    const dir = await readyDirectory();
    const { device, events } = await opened(dir);
    await activate(device, dayPublished(2), options({ hooks: { ...NO_HOOKS, postActivate: 'exit 4' } }));
    expect(links(dir)).toEqual({ current: dayImage(2), previous: dayImage(1) });
    expect(notes({ events })).toEqual([
      'post-activate hook: expected exit code 0, found 4: exit 4 (the new image stays current)',
    ]);
  });

  it.each(['preActivate', 'postActivate'] as const)('are stopped by an abort: %s', async (name) => {
    const dir = await readyDirectory();
    const controller = new AbortController();
    const reason = new Error('stop');
    const { device } = await opened(dir, {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'note' && event.message === 'begun') controller.abort(reason);
      },
    });
    const command = "trap 'touch ended; exit 1' TERM; echo begun; sleep 60 & wait";
    const started = performance.now();
    const work = activate(device, dayPublished(2), options({ hooks: { ...NO_HOOKS, [name]: command } }));
    await expect(work).rejects.toBe(reason);
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(readdirSync(dir)).toContain('ended');
    expect(links(dir).current).toBe(dayImage(name === 'preActivate' ? 1 : 2));
    await device.close();
    // What was stopped after the switch runs with the next activation.
    const { device: next } = await opened(dir);
    const hooks = { ...NO_HOOKS, postActivate: 'touch post' };
    expect(await activate(next, dayPublished(2), options({ hooks }))).toMatchObject({ changed: true });
    expect(readdirSync(dir)).toContain('post');
  });

  it('do not wait for what a hook leaves running, and do not take more of its output than is good', async () => {
    const dir = await readyDirectory();
    const { device, events } = await opened(dir);
    const started = performance.now();
    const command = 'sleep 60 & yes | head -n 100000; printf "%5000s\\n" x';
    await activate(device, dayPublished(2), options({ hooks: { ...NO_HOOKS, postActivate: command } }));
    expect(performance.now() - started).toBeLessThan(20_000);
    const told = eventsOf({ events }, 'note');
    expect(told).toHaveLength(1_001);
    expect(told.at(-1)?.message).toBe('more than 1000 lines, the rest is left out');
  });

  it('take with them what they have started when they are stopped', async () => {
    const dir = await readyDirectory();
    const { device } = await opened(dir);
    const hooks = { ...NO_HOOKS, preActivate: 'sleep 30 & echo $! > started; wait', timeoutMs: 3000 };
    expect(await caught(activate(device, dayPublished(2), options({ hooks })))).toMatchObject({ code: 'HOOK' });
    const pid = Number(textIn(dir, 'started'));
    expect(pid).toBeGreaterThan(0);
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), { timeout: 25_000 });
  });

  it('notice when a hook changes the image', async () => {
    const dir = await readyDirectory();
    const { device } = await opened(dir);
    const hooks = { ...NO_HOOKS, preActivate: 'echo x >> "$UPDATE_REPOSITORY_IMAGE"' };
    expect(await caught(activate(device, dayPublished(2), options({ hooks })))).toMatchObject({ code: 'VERIFICATION' });
    expect(links(dir).current).toBe(dayImage(1));
  });
});

describe('keeping images', () => {
  /** Activates the images of these days, one after the other; resolves to the days whose images are left. */
  async function activateAll(
    dir: string,
    days: readonly number[],
    changes: Partial<ActivateOptions>,
  ): Promise<number[]> {
    const { device } = await opened(dir);
    for (const day of days) {
      addMade(dir, day);
      await activate(device, dayPublished(day), options(changes));
    }
    await device.close();
    return Array.from({ length: 9 }, (_, day) => day + 1).filter((day) => existsSync(join(dir, dayImage(day))));
  }

  it.each([
    { keep: null, left: [1, 2, 3, 4, 5] },
    { keep: 4, left: [2, 3, 4, 5] },
    { keep: 2, left: [4, 5] },
    { keep: 1, left: [4, 5] },
    { keep: 0, left: [4, 5] },
  ])('leaves $left of five with keep $keep', async ({ keep, left }) => {
    expect(await activateAll(await temporaryDirectory(), [1, 2, 3, 4, 5], { keep })).toEqual(left);
  });

  it('removes none that is newer, protected, or not as it was when it was compared, and no other file', async () => {
    const dir = await temporaryDirectory();
    expect(await activateAll(dir, [1, 2, 3, 9], { keep: null })).toEqual([1, 2, 3, 9]);
    writeFileSync(join(dir, dayImage(3)), 'somebody changed it');
    writeFileSync(join(dir, dayImage(4)), 'never compared');
    writeFileSync(join(dir, dayImage(1, 'puavo-os-acme-buster')), 'of another series');
    const protectedNames = new Set([dayImage(2)]);
    expect(await activateAll(dir, [6, 7, 8], { keep: 2, protectedNames })).toEqual([2, 3, 4, 7, 8, 9]);
    expect(existsSync(join(dir, dayImage(1, 'puavo-os-acme-buster')))).toBe(true);
  });

  it('tells what it removes, after all else', async () => {
    const dir = await temporaryDirectory();
    await activateAll(dir, [1, 2], { keep: null });
    addMade(dir, 3);
    const { device, events } = await opened(dir);
    const hooks = { ...NO_HOOKS, postActivate: 'ls *.img | wc -l' };
    await activate(device, dayPublished(3), options({ keep: 2, hooks }));
    expect(events.map((event) => (event.type === 'note' ? event.message : event.type))).toEqual(['3', 'file-removed']);
    expect(eventsOf({ events }, 'file-removed')).toEqual([
      { type: 'file-removed', path: dayImage(1), sizeBytes: dayBytes(1).length },
    ]);
  });
});

it('does not follow a symbolic link in partial/', async () => {
  const [dir, elsewhere] = [await temporaryDirectory(), await temporaryDirectory()];
  mkdirSync(join(dir, '.update-repository', 'partial'), { recursive: true });
  addImage(elsewhere, 2);
  symlinkSync(join(elsewhere, dayImage(2)), join(dir, '.update-repository', 'partial', dayImage(2)));
  const { device } = await opened(dir);
  expect(await caught(activate(device, dayPublished(2), options()))).toMatchObject({ code: 'NOT_FOUND' });
  expect(existsSync(join(dir, dayImage(2)))).toBe(false);
});
