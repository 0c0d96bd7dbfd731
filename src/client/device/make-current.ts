import { UpdateRepositoryError } from '../../errors.js';
import type { Device } from './device.js';
import { hookEnvironment } from './hook-environment.js';
import { type Hook, runHook } from './hooks.js';
import { tellStage } from './stages.js';
import { endSwitch, pendingSwitch, type SwitchKind, switchTo } from './switch.js';

/** The user's shell commands round a switch of the current image, each with the same time limit. */
export interface Hooks {
  readonly preActivate: string | null;
  readonly postActivate: string | null;
  readonly timeoutMs: number;
}

/** Which image becomes current, and what goes with it. */
export interface NextCurrent {
  readonly kind: SwitchKind;
  readonly fileName: string;
  readonly hooks: Hooks;
  /** Asked once more between the pre-activate hooks and the switch. */
  readonly check: () => Promise<void>;
}

/**
 * Runs the pre-activate hooks, makes an image current, and runs the post-activate hook. A pre-activate hook that fails
 * leaves everything as it was. Resolves to whether there was anything to do: an image that became current in a run that
 * was killed still has its post-activate hook to come.
 *
 * @throws UpdateRepositoryError HOOK, LOCKED, NO_SPACE, IO, what `check` throws, the reason of an abort
 */
export async function makeCurrent(device: Device, { kind, fileName, hooks, check }: NextCurrent): Promise<boolean> {
  let change = await pendingSwitch(device);
  const { current } = await device.layout.read();
  if (current === fileName && change === null) return false;
  if (current !== fileName) {
    const env = hookEnvironment(device, fileName, current);
    for (const hook of preActivate(device, hooks)) await run(device, hook, env, hooks.timeoutMs);
    await check();
    change = await switchTo(device, kind, fileName);
  }
  await tellStage(device, { phase: 'finished', image: fileName, percent: 100 });
  await runPostActivate(device, hookEnvironment(device, fileName, change?.from.current ?? null), hooks);
  await endSwitch(device);
  return true;
}

function preActivate({ layout }: Device, hooks: Hooks): Hook[] {
  const commands = [layout.preActivate, hooks.preActivate].filter((command) => command !== null);
  return commands.map((command) => ({ name: 'pre-activate', command }));
}

/** The image is current by now and stays it: a failure is told. One that is stopped runs again the next time. */
async function runPostActivate(device: Device, env: Readonly<Record<string, string>>, hooks: Hooks): Promise<void> {
  if (hooks.postActivate === null) return;
  try {
    await run(device, { name: 'post-activate', command: hooks.postActivate }, env, hooks.timeoutMs);
  } catch (error) {
    if (!(error instanceof UpdateRepositoryError) || device.signal.aborted) throw error;
    device.onEvent({ type: 'note', level: 'warning', message: `${error.message} (the new image stays current)` });
  }
}

async function run(
  { dir, signal, onEvent }: Device,
  hook: Hook,
  env: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<void> {
  await runHook(hook, { dir, env, timeoutMs, signal, onEvent });
}
