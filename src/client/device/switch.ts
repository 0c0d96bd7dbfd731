import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError, hasCode } from '../../errors.js';
import { readTextFile, syncDirectory, writeFileAtomic } from '../../io/atomic-file.js';
import { classifyImageName } from '../../metadata/image-name.js';
import { type JsonNode, jsonMember, jsonString, parseJson } from '../../metadata/json-node.js';
import { findNameFault } from '../../metadata/safe-name.js';
import type { Device } from './device.js';
import type { Pointers } from './layout.js';
import { keepingRecords } from './own-changes.js';
import { stateOf } from './plain-file.js';
import type { PrivateDirectory } from './private-directory.js';

/*
 * Two pointers cannot change at one instant. `switch.json` says before the first of them changes what they were and
 * what they are to be; it goes when all that belongs to the switch is done. `current` changes last and at once: whether
 * it has changed decides whether a switch that was cut off is completed or undone. Where the previous image goes, the pointer
 * to it goes first, and whether the image is gone decides.
 */

export type SwitchKind = 'activate' | 'rollback';

/** What `switch.json` holds; `forget` is that of {@link forgetPrevious}. */
export interface Switch {
  readonly kind: SwitchKind | 'forget';
  readonly from: Pointers;
  readonly to: Pointers;
}

/** Makes an image of the directory the current one, and what was current the previous one. */
export async function switchTo(device: Device, kind: SwitchKind, fileName: string): Promise<Switch> {
  const { layout, dir } = device;
  const from = await layout.read();
  const to = await pointersAfter(dir, from, fileName);
  const change: Switch = { kind, from, to };
  await beginSwitch(device, change);
  await keepingRecords(device, namesIn(change), async () => {
    if (change.to.previous !== from.previous) await layout.point('previous', change.to.previous);
    await layout.point('current', fileName);
    await layout.settle(change.to);
  });
  return change;
}

/**
 * Removes the previous image by `remove`: after it there is none. A kill leaves it, and the device can go back to it, or
 * nothing of it.
 */
export async function forgetPrevious(device: Device, remove: () => Promise<void>): Promise<void> {
  const { layout } = device;
  const from = await layout.read();
  const change: Switch = { kind: 'forget', from, to: { current: from.current, previous: null } };
  await beginSwitch(device, change);
  await keepingRecords(device, namesIn(change), async () => {
    await layout.point('previous', null);
    await layout.settle(change.to);
  });
  await remove();
  await endSwitch(device);
}

async function beginSwitch(device: Device, change: Switch): Promise<void> {
  const { switchPath } = device.place;
  await writeFileAtomic(switchPath, `${JSON.stringify(change)}\n`, device.place.temporaryPath('switch.json'));
  await device.assertMayGoOn();
}

/** What the pointers lead to when an image has become current. */
export async function pointersAfter(dir: string, from: Pointers, fileName: string): Promise<Pointers> {
  return { current: fileName, previous: await nextPrevious(dir, from, fileName) };
}

/** What was current, as long as it is there, or else what was previous. */
async function nextPrevious(dir: string, from: Pointers, fileName: string): Promise<string | null> {
  for (const name of [from.current, from.previous]) {
    if (name !== null && name !== fileName && (await stateOf(join(dir, name))) !== null) return name;
  }
  return null;
}

/** The switch to the current image whose hooks may not have run; null when there is none. */
export async function pendingSwitch(device: Device): Promise<Switch | null> {
  const change = await readSwitch(device.place);
  if (change === null || change.kind === 'forget') return null;
  return (await device.layout.read()).current === change.to.current ? change : null;
}

/** All that belongs to the switch is done. */
export async function endSwitch({ place }: Device): Promise<void> {
  try {
    await rm(place.switchPath, { force: true });
    await syncDirectory(place.path);
  } catch (error) {
    throw fromSystemError(error, 'remove it', place.switchPath);
  }
}

/** Completes or undoes the switch of a run that was killed. */
export async function recoverSwitch(device: Device): Promise<void> {
  const { layout, place } = device;
  const change = await readSwitch(place);
  if (change === null) return;
  const now = await layout.read();
  const isDone = await cameThrough(device, change, now);
  const previous = isDone ? change.to.previous : change.from.previous;
  const isOurs = now.current === change.to.current || now.current === change.from.current;
  await keepingRecords(device, namesIn(change), async () => {
    if (isOurs && now.previous !== previous) await pointIfThere(device, previous);
    await layout.settle(await layout.read());
  });
  // One that came as far as the current image still has its hooks to run.
  if (!isDone || change.kind === 'forget') await endSwitch(device);
}

/** Whether what decides it was done before the kill: `current` leads to the new image, or the image to forget is gone. */
async function cameThrough({ dir }: Device, { kind, from, to }: Switch, now: Pointers): Promise<boolean> {
  if (kind !== 'forget') return now.current === to.current;
  return from.previous === null || (await stateOf(join(dir, from.previous))) === null;
}

/** Only to an image: a pointer of a layout that was meant by its own name may mean another image by now. */
async function pointIfThere({ dir, layout }: Device, previous: string | null): Promise<void> {
  if (previous === null) await layout.point('previous', null);
  else if (classifyImageName(previous).kind === 'image' && (await stateOf(join(dir, previous))) !== null) {
    await layout.point('previous', previous);
  }
}

function namesIn({ from, to }: Switch): string[] {
  return [from.current, from.previous, to.current, to.previous].filter((name) => name !== null);
}

const MAX_BYTES = 16_384;

/** A file that is damaged tells nothing, and the pointers are as they are. */
async function readSwitch({ switchPath }: PrivateDirectory): Promise<Switch | null> {
  try {
    const text = await readTextFile(switchPath, MAX_BYTES);
    if (text === null) return null;
    const root = parseJson(text, { file: switchPath, code: 'FORMAT' });
    return {
      kind: jsonString(jsonMember(root, 'kind'), '"activate", "rollback" or "forget"', isSwitchKind),
      from: parsePointers(jsonMember(root, 'from')),
      to: parsePointers(jsonMember(root, 'to')),
    };
  } catch (error) {
    if (hasCode(error, 'FORMAT')) return null;
    throw error;
  }
}

function isSwitchKind(text: string): text is Switch['kind'] {
  return text === 'activate' || text === 'rollback' || text === 'forget';
}

function parsePointers(node: JsonNode): Pointers {
  return { current: parsePointer(jsonMember(node, 'current')), previous: parsePointer(jsonMember(node, 'previous')) };
}

function parsePointer(node: JsonNode): string | null {
  if (node.value === null) return null;
  return jsonString(node, 'null or a file name', (text) => findNameFault(text) === null);
}
