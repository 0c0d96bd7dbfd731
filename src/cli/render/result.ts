import type { PlanEvent, RepositoryEvent } from '../../events.js';
import type { Palette } from './colors.js';
import { inspectionLines } from './inspection.js';
import { pathTableLines } from './path-table.js';
import { planLines } from './plan-table.js';
import type { Renderer } from './renderer.js';
import type { OutputStream } from './streams.js';
import { summaryLines } from './summary.js';

/** Prints the result of a command, for people: the plan of a dry run, and the summary. */
export class ResultRenderer implements Renderer {
  readonly #stdout: OutputStream;
  readonly #palette: Palette;

  constructor(stdout: OutputStream, palette: Palette) {
    this.#stdout = stdout;
    this.#palette = palette;
  }

  onEvent(event: RepositoryEvent): void {
    switch (event.type) {
      case 'plan':
        this.#printPlan(event);
        break;
      case 'build-summary':
      case 'verify-summary':
      case 'prune-summary':
      case 'publish-summary':
      case 'audit-summary':
      case 'delta-summary':
      case 'patch-summary':
      case 'compose-summary':
      case 'bundle-summary':
      case 'update-check':
      case 'update-summary':
      case 'key-list':
      case 'key-summary':
      case 'refresh-summary':
      case 'channel-list':
      case 'channel-summary':
        this.#print(summaryLines(event, this.#layout()));
        break;
      case 'path-plan':
        if (event.dryRun) this.#print(pathTableLines(event, this.#layout()));
        break;
      case 'inspection':
        this.#print(inspectionLines(event, this.#layout()));
        break;
      default:
        break;
    }
  }

  close(): void {
    // What is printed is the result: it stays.
  }

  #printPlan(event: PlanEvent): void {
    if (event.dryRun && event.actions.length > 0) this.#print([...planLines(event.actions, this.#layout()), '']);
  }

  #layout(): { readonly width: number; readonly palette: Palette } {
    // Off a terminal nothing is shortened: whoever reads it there wants whole names.
    const width = this.#stdout.isTTY === true ? (this.#stdout.columns ?? 80) : Number.POSITIVE_INFINITY;
    return { width, palette: this.#palette };
  }

  #print(lines: readonly string[]): void {
    this.#stdout.write(lines.map((line) => `${line}\n`).join(''));
  }
}
