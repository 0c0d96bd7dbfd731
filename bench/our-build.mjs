import { measureSampled } from './measure.mjs';
import { ours } from './program.mjs';

/** What both benches measure: the whole build, with the deltas that the old producer makes, all of them published. */
const flags = ['--deltas', 'puavo', '--max-delta-ratio', '1', '--base-url', 'https://images.example.org', '--quiet'];

/**
 * Builds `mirror` by the command line of `program`, and says what it cost.
 * @param {string} program
 * @param {string} imagesDir
 * @param {string} mirror
 */
export function measureOurBuild(program, imagesDir, mirror) {
  const [command = '', ...args] = ours(program, imagesDir, mirror, ...flags);
  return measureSampled(command, args);
}
