import { hasCode, UpdateRepositoryError } from '../../errors.js';
import type { Device } from './device.js';
import type { UpdateStage } from './layout.js';

/** How often others are told of a per cent more. */
const PERCENT_INTERVAL_MS = 1000;

/**
 * Tells others how far an update is, as the layout of the device does it. What cannot be told is noted once and keeps
 * nothing from going on.
 */
export class Stages {
  readonly #device: Pick<Device, 'layout' | 'onEvent'>;
  #image: string | null;
  #told: Pick<UpdateStage, 'phase' | 'percent'> = { phase: 'starting', percent: 0 };
  #toldAt = 0;
  #telling: Promise<void> | null = null;
  #isNoted = false;

  /** @param current stands for the wanted image until that is known; where there is neither, nothing is told */
  constructor(device: Pick<Device, 'layout' | 'onEvent'>, current: string | null) {
    this.#device = device;
    this.#image = current;
  }

  /** Which image is wanted is known now. */
  isFor(image: string): void {
    this.#image = image;
  }

  /** A phase begins, or the update ends by one. */
  async enter(phase: UpdateStage['phase'], percent = 0): Promise<void> {
    await this.rest();
    await this.#tell(phase, percent);
  }

  /** Waits until what {@link isAt} began to tell is told: before others tell, who would be told over. */
  async rest(): Promise<void> {
    await this.#telling;
  }

  /** How much of the phase is done, in per cent; told now and then. */
  isAt(percent: number): void {
    const { phase, percent: before } = this.#told;
    const isDue = performance.now() - this.#toldAt >= PERCENT_INTERVAL_MS && Math.floor(percent) !== before;
    if (!isDue || this.#telling !== null || this.#image === null) return;
    this.#telling = this.#tell(phase, percent).finally(() => {
      this.#telling = null;
    });
  }

  async #tell(phase: UpdateStage['phase'], percent: number): Promise<void> {
    this.#told = { phase, percent: Math.floor(percent) };
    this.#toldAt = performance.now();
    if (this.#image !== null && !this.#isNoted) {
      this.#isNoted = !(await tellStage(this.#device, { ...this.#told, image: this.#image }));
    }
  }
}

/** Tells of a stage; resolves to whether that was possible, and notes where it was not. */
export async function tellStage(
  { layout, onEvent }: Pick<Device, 'layout' | 'onEvent'>,
  stage: UpdateStage,
): Promise<boolean> {
  try {
    await layout.tell(stage);
    return true;
  } catch (error) {
    if (!(error instanceof UpdateRepositoryError)) throw error;
    const message = `${error.message} (how far the update is cannot be told)`;
    onEvent({ type: 'note', level: 'warning', message });
    return false;
  }
}

/** Tells others of the beginning of an update and of an end that is not that of a new image. */
export async function inStages<T extends { readonly changed: boolean }>(
  stages: Stages,
  signal: AbortSignal,
  run: () => Promise<T>,
): Promise<T> {
  try {
    await stages.enter('starting');
    const done = await run();
    if (!done.changed) await stages.enter('uptodate', 100);
    return done;
  } catch (error) {
    // Without the lock it is another one's to tell.
    if (!hasCode(error, 'LOCKED')) await stages.enter(signal.aborted ? 'interrupted' : 'error');
    throw error;
  }
}
