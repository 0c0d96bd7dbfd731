import { setImmediate } from 'node:timers/promises';

const EVERY_MS = 20;

/**
 * A pause for long loops on a thread that has signals to hear and progress to show: what is returned lets the event
 * loop run when the last time was 20 ms ago, and otherwise costs next to nothing.
 */
export function makeBreather(): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < EVERY_MS) return undefined;
    return setImmediate().then(() => {
      last = performance.now();
    });
  };
}
