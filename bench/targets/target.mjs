/**
 * One line of what the project promises: by which figure it is met, and whether. `met` is undefined where the figure
 * was not measured.
 * @typedef {{point: string, what: string, wanted: string, found: string, met: boolean | undefined}} Target
 */

/**
 * A figure that should be at least so large.
 * @param {string} point
 * @param {string} what
 * @param {number} least
 * @param {number | undefined} found
 * @returns {Target}
 */
export function atLeast(point, what, least, found) {
  return target(point, what, `>= ${least}`, found, (value) => value >= least);
}

/**
 * A figure that should be at most so large.
 * @param {string} point
 * @param {string} what
 * @param {number} most
 * @param {number | undefined} found
 * @returns {Target}
 */
export function atMost(point, what, most, found) {
  return target(point, what, `<= ${most}`, found, (value) => value <= most);
}

/**
 * @param {readonly Target[]} targets
 * @returns {import('../report.mjs').Block}
 */
export function targetsBlock(targets) {
  const verdict = (/** @type {boolean | undefined} */ met) => (met === undefined ? '' : met ? 'met' : 'NOT met');
  return {
    title: 'Targets',
    rows: [
      ['', 'wanted', 'measured', 'verdict'],
      ...targets.map(({ point, what, wanted, found, met }) => [`${point}. ${what}`, wanted, found, verdict(met)]),
    ],
  };
}

/**
 * @param {string} point
 * @param {string} what
 * @param {string} wanted
 * @param {number | undefined} found
 * @param {(value: number) => boolean} isMet
 * @returns {Target}
 */
function target(point, what, wanted, found, isMet) {
  const isMeasured = found !== undefined && !Number.isNaN(found);
  return {
    point,
    what,
    wanted,
    found: isMeasured ? digits(found) : 'not measured',
    met: isMeasured ? isMet(found) : undefined,
  };
}

/** @param {number} value */
function digits(value) {
  return value.toFixed(value < 2 ? 4 : 1);
}
