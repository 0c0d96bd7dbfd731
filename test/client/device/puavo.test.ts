import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { activate } from '../../../src/client/device/activate.js';
import { makeBootedCurrent } from '../../../src/client/device/puavo/make-booted-current.js';
import { puavoLayout } from '../../../src/client/device/puavo/puavo-layout.js';
import { rollback } from '../../../src/client/device/rollback.js';
import { surveyImages } from '../../../src/client/device/survey.js';
import { parseSha256Hex } from '../../../src/metadata/brands.js';
import { notes, startedJobs } from '../../images/support/events.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { haveTools, requireTools, skipLoudly } from '../../support/tools.js';
import { caught } from './support/caught.js';
import {
  addImage,
  addMade,
  dayBytes,
  dayImage,
  dayPublished,
  metaOf,
  NO_HOOKS,
  type OpenedDevice,
  opened,
  sha256Hex,
  textIn,
} from './support/device-directory.js';
import { deviceScript, runDevice } from './support/device-process.js';

const keepAll = { hooks: NO_HOOKS, keep: null, protectedNames: new Set<string>() };

/** Opens a directory as Puavo's; `booted` and `managed` beside the images are what a device has elsewhere. */
async function openedPuavo(dir: string, runPreinst = false): Promise<OpenedDevice> {
  const places = { bootedName: join(dir, 'booted'), managedImages: join(dir, 'managed'), runPreinst };
  return opened(dir, { layout: puavoLayout(places) });
}

/** Which day's image a file of the directory is a hard link to. */
function dayOf(dir: string, name: string): number | null {
  if (!readdirSync(dir).includes(name)) return null;
  const { ino } = statSync(join(dir, name));
  const days = Array.from({ length: 9 }, (_, day) => day + 1);
  return days.find((day) => textIn(dir, dayImage(day)) !== null && statSync(join(dir, dayImage(day))).ino === ino) ?? 0;
}

/** The processes that this one has started and that run a program of this name. */
function childrenNamed(name: string): number[] {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  const stats = pids.map(statOf);
  const found = stats.map((stat) => /^(\d+) \((.*)\) \S (\d+) /.exec(stat) ?? []);
  return found
    .filter(([, , command, parent]) => command === name && Number(parent) === process.pid)
    .map(([, pid]) => Number(pid));
}

/** Empty for a process that has ended meanwhile. */
function statOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return '';
  }
}

/** A laptop that runs the image of day 1, with that of day 2 made. */
async function laptop(): Promise<string> {
  const dir = await temporaryDirectory();
  addImage(dir, 1);
  linkSync(join(dir, dayImage(1)), join(dir, 'ltsp.img'));
  writeFileSync(join(dir, 'booted'), `${dayImage(1)}\n`);
  addMade(dir, 2);
  return dir;
}

describe.skipIf(!haveTools('flock'))("Puavo's layout", () => {
  it('has hard links to the current and the previous image, labels for grub, and the last phase', async () => {
    const dir = await laptop();
    writeFileSync(join(dir, `${dayImage(1).slice(0, -4)}.default`), '');
    writeFileSync(join(dir, 'mine.backup'), '');
    const { device, events } = await openedPuavo(dir);
    await surveyImages(device, metaOf([1, 2]));
    await activate(device, dayPublished(2), keepAll);
    expect([dayOf(dir, 'ltsp.img'), dayOf(dir, 'ltsp-backup.img')]).toEqual([2, 1]);
    expect(textIn(dir, 'ltsp.img')).toBe(dayBytes(2).toString());
    expect(readdirSync(dir).filter((name) => /default|backup$/.test(name))).toEqual([
      'mine.backup',
      `${dayImage(1).slice(0, -4)}.backup`,
      `${dayImage(2).slice(0, -4)}.default`,
    ]);
    expect(textIn(dir, 'image_update.stats')).toBe(`image ${dayImage(2)}\nphase finished\nprogress 100\n`);
    expect(readdirSync(dir).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    // The links have changed the ctime of both: that is no reason to read them again.
    expect(startedJobs({ events })).toEqual([`digest ${dayImage(1)}`]);
    expect(await surveyImages(device, metaOf([1, 2]))).toHaveLength(2);
    expect(startedJobs({ events })).toHaveLength(1);
    expect(await rollback(device, NO_HOOKS)).toEqual({ current: dayImage(1), previous: dayImage(2) });
    expect([dayOf(dir, 'ltsp.img'), dayOf(dir, 'ltsp-backup.img')]).toEqual([1, 2]);
  });

  it('keeps as the backup what ltsp.img was, also when it has no other name', async () => {
    const dir = await laptop();
    rmSync(join(dir, dayImage(1)));
    const { device } = await openedPuavo(dir);
    expect(await device.layout.read()).toEqual({ current: 'ltsp.img', previous: null });
    await activate(device, dayPublished(2), keepAll);
    expect(textIn(dir, 'ltsp-backup.img')).toBe(dayBytes(1).toString());
    expect(dayOf(dir, 'ltsp.img')).toBe(2);
    expect(await caught(rollback(device, NO_HOOKS))).toMatchObject({ code: 'NOT_FOUND' });
    expect(textIn(dir, 'ltsp-backup.img')).toBe(dayBytes(1).toString());
  });

  it('still has that backup when it was killed right after the switch', async () => {
    const dir = await laptop();
    rmSync(join(dir, dayImage(1)));
    const args = ['activate', 'puavo', dir, JSON.stringify(dayPublished(2)), 'null', '', 'kill -9 $PPID'];
    expect(runDevice(args).signal).toBe('SIGKILL');
    const { device } = await openedPuavo(dir);
    expect(textIn(dir, 'ltsp-backup.img')).toBe(dayBytes(1).toString());
    expect(await activate(device, dayPublished(2), keepAll)).toMatchObject({ changed: true });
    expect(textIn(dir, 'ltsp-backup.img')).toBe(dayBytes(1).toString());
    expect(dayOf(dir, 'ltsp.img')).toBe(2);
  });

  it("is not opened while one of Puavo's clients works, and keeps them out", async () => {
    const dir = await laptop();
    const lock = join(dir, '.image_updates_lock');
    const client = spawn('flock', ['-nx', lock, 'sh', '-c', 'echo; exec cat']);
    await once(client.stdout, 'data');
    expect(await caught(openedPuavo(dir))).toMatchObject({ code: 'LOCKED', message: expect.stringContaining(lock) });
    client.stdin.end();
    await once(client, 'close');
    const { device } = await openedPuavo(dir);
    const busy = () => spawnSync('flock', ['-nx', lock, 'true']).status;
    expect(busy()).toBe(1);
    await device.close();
    expect(busy()).toBe(0);
  });

  it('holds the lock as long as its process lives, however that ends', async () => {
    const dir = await laptop();
    const lock = join(dir, '.image_updates_lock');
    const image = JSON.stringify(dayPublished(2));
    const child = spawn(process.execPath, [
      deviceScript,
      'activate',
      'puavo',
      dir,
      image,
      'null',
      'echo in; exec sleep 2',
    ]);
    await once(child.stdout, 'data');
    expect(spawnSync('flock', ['-nx', lock, 'true']).status).toBe(1);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(spawnSync('flock', ['-w', '10', lock, 'true']).status).toBe(0);
    expect(dayOf(dir, 'ltsp.img')).toBe(1);
  });

  it('tells when the lock is lost while it works', async () => {
    const dir = await laptop();
    const { device } = await openedPuavo(dir);
    await device.assertMayGoOn();
    const [holder = 0, ...others] = childrenNamed('cat');
    expect(others).toEqual([]);
    process.kill(holder, 'SIGKILL');
    const isLost = () => expect(device.assertMayGoOn()).rejects.toMatchObject({ code: 'LOCKED' });
    await vi.waitFor(isLost, { timeout: 20_000 });
  });

  it('says when updates are disabled', async () => {
    const dir = await laptop();
    const { device } = await openedPuavo(dir);
    expect(await device.layout.disabledBy()).toBeNull();
    writeFileSync(join(dir, 'DISABLE_IMAGE_UPDATES'), '');
    expect(await device.layout.disabledBy()).toBe(join(dir, 'DISABLE_IMAGE_UPDATES'));
  });

  it('tells others how far an update is', async () => {
    const dir = await laptop();
    const { device } = await openedPuavo(dir);
    await device.layout.tell({ image: dayImage(2), phase: 'rdiff_fetch', percent: 42.9 });
    expect(textIn(dir, 'image_update.stats')).toBe(`image ${dayImage(2)}\nphase rdiff_fetch\nprogress 42\n`);
  });

  it('never removes what is booted, locked, or looked after by a bootserver', async () => {
    const dir = await laptop();
    writeFileSync(join(dir, 'managed'), JSON.stringify({ series: [join(dir, dayImage(3)), '/elsewhere'] }));
    writeFileSync(join(dir, `${dayImage(4)}.lock`), '');
    const { device } = await openedPuavo(dir);
    await surveyImages(device, metaOf([1]));
    for (const day of [2, 3, 4, 5, 6, 7, 8]) {
      addMade(dir, day);
      await activate(device, dayPublished(day), { ...keepAll, keep: 2 });
    }
    const left = Array.from({ length: 9 }, (_, day) => day + 1).filter((day) => textIn(dir, dayImage(day)) !== null);
    expect(left).toEqual([1, 3, 4, 7, 8]);
    writeFileSync(join(dir, 'managed'), '[]');
    addMade(dir, 9);
    expect(await caught(activate(device, dayPublished(9), { ...keepAll, keep: 2 }))).toMatchObject({ code: 'FORMAT' });
    expect(textIn(dir, dayImage(7))).not.toBeNull();
  });

  it('makes the booted image current when another one is', async () => {
    const dir = await laptop();
    const { device, events } = await openedPuavo(dir);
    await activate(device, dayPublished(2), keepAll);
    await makeBootedCurrent(device);
    expect([dayOf(dir, 'ltsp.img'), dayOf(dir, 'ltsp-backup.img')]).toEqual([1, 2]);
    await makeBootedCurrent(device);
    expect(notes({ events }, 'info')).toHaveLength(1);
    writeFileSync(join(dir, 'booted'), dayImage(9));
    await makeBootedCurrent(device);
    expect(notes({ events })).toEqual([expect.stringContaining(`${dayImage(9)}: is the booted image, but is not in`)]);
    expect(dayOf(dir, 'ltsp.img')).toBe(1);
  });

  it.each([
    { name: 'works', preinst: 'echo "installs $0"', current: 2 },
    { name: 'fails', preinst: 'exit 1', current: 1 },
  ])("runs the new image's own installation script: one that $name", async ({ preinst, current }) => {
    const dir = await laptop();
    // Stands for the kernel: "mounts" a directory that has the script, and takes note.
    const bin = join(await temporaryDirectory(), 'bin');
    mkdirSync(bin);
    const script = 'usr/lib/puavo-ltsp-install/puavo-image-preinst';
    const mount = `#!/bin/sh
echo "mount $*" >> "${bin}/log"
mkdir -p "$4/${script}" && rmdir "$4/${script}"
printf '#!/bin/sh\\n%s\\n' '${preinst}' > "$4/${script}" && chmod +x "$4/${script}"
`;
    for (const [name, text] of [
      ['mount', mount],
      ['umount', `#!/bin/sh\necho "umount $*" >> "${bin}/log"\n`],
    ] as const) {
      writeFileSync(join(bin, name), text);
      chmodSync(join(bin, name), 0o755);
    }
    const { PATH = '' } = process.env;
    vi.stubEnv('PATH', `${bin}${delimiter}${PATH}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { device, events } = await openedPuavo(dir, true);
    const outcome = await activate(device, dayPublished(2), keepAll).catch((error: unknown) => error);
    const mnt = join(dir, 'mnt');
    expect(textIn(bin, 'log')?.split('\n')).toEqual([
      `umount -f ${mnt}`,
      `mount -o ro ${join(dir, dayImage(2))} ${mnt}`,
      `umount ${mnt}`,
      '',
    ]);
    expect(dayOf(dir, 'ltsp.img')).toBe(current);
    if (current === 1) expect(outcome).toMatchObject({ code: 'HOOK' });
    else expect(notes({ events }, 'info')).toEqual([`pre-activate: installs ${join(mnt, script)}`]);
  });

  it('mounts a real image for that, and leaves it unmounted', async (context) => {
    requireTools(context, 'mksquashfs');
    if (process.getuid?.() !== 0) skipLoudly(context, 'only root can mount an image');
    const dir = await laptop();
    const tree = join(await temporaryDirectory(), 'tree');
    const scriptDir = join(tree, 'usr', 'lib', 'puavo-ltsp-install');
    mkdirSync(scriptDir, { recursive: true });
    writeFileSync(
      join(scriptDir, 'puavo-image-preinst'),
      '#!/bin/sh\necho "from the image, $UPDATE_REPOSITORY_VERSION"\n',
    );
    chmodSync(join(scriptDir, 'puavo-image-preinst'), 0o755);
    const path = join(dir, '.update-repository', 'partial', dayImage(3));
    execFileSync('mksquashfs', [tree, path, '-quiet', '-noappend', '-no-progress']);
    const bytes = readFileSync(path);
    if (spawnSync('mount', ['-o', 'ro', path, tree]).status !== 0) skipLoudly(context, 'cannot mount an image here');
    execFileSync('umount', [tree]);
    const sha256 = parseSha256Hex(sha256Hex(bytes), 'test');
    const { device, events } = await openedPuavo(dir, true);
    await activate(device, { ...dayPublished(3), sha256, size: bytes.length }, keepAll);
    expect(notes({ events }, 'info')).toEqual(['pre-activate: from the image, 20240103060000']);
    expect(dayOf(dir, 'ltsp.img')).toBe(3);
    expect(readdirSync(join(dir, 'mnt'))).toEqual([]);
  });
});
