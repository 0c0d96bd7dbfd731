// What a bench says: blocks of a heading, some lines and a table, printed as they come and kept for a Markdown page.
import { markdownTable, table } from './table.mjs';

/** @typedef {{title: string, notes?: readonly string[], rows: readonly (readonly string[])[]}} Block */

/** @typedef {(block: Block) => void} Say prints a block */

/**
 * As it is printed.
 * @param {Block} block
 */
export function plainBlock({ title, notes = [], rows }) {
  return `${[title, ...notes, table(rows)].join('\n')}\n`;
}

/**
 * As it is pasted into a page.
 * @param {Block} block
 */
export function markdownBlock({ title, notes = [], rows }) {
  return `${[`### ${title}`, ...notes, markdownTable(rows)].join('\n\n')}\n`;
}
