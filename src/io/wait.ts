const WAIT_MS = 1;
const nobody = new Int32Array(new SharedArrayBuffer(4));

/** Blocks the thread for a millisecond, for a pipe that is not ready. */
export function waitAMoment(): void {
  Atomics.wait(nobody, 0, 0, WAIT_MS);
}
