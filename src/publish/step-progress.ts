/**
 * How far a job is that moves the bytes of an object once in each of its steps, some of them again after a failure. What
 * it tells never falls, never exceeds the total, and is the total when the last step has ended.
 */
export class StepProgress {
  readonly totalBytes: number;
  readonly #stepBytes: number;
  #endedBytes = 0;
  /** Of the step that runs, in this attempt and in the best one. */
  #attemptBytes = 0;
  #bestBytes = 0;

  constructor(stepBytes: number, steps: number) {
    this.#stepBytes = stepBytes;
    this.totalBytes = stepBytes * steps;
  }

  get doneBytes(): number {
    return this.#endedBytes + this.#bestBytes;
  }

  /** So many bytes more were moved. */
  add(count: number): void {
    this.#attemptBytes = Math.min(this.#stepBytes, this.#attemptBytes + count);
    this.#bestBytes = Math.max(this.#bestBytes, this.#attemptBytes);
  }

  /** The step begins again. */
  restart(): void {
    this.#attemptBytes = 0;
  }

  /** The step has ended, also where not all bytes had to be moved. */
  endStep(): void {
    this.#endedBytes = Math.min(this.totalBytes, this.#endedBytes + this.#stepBytes);
    this.#attemptBytes = 0;
    this.#bestBytes = 0;
  }
}
