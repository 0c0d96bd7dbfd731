import { join } from 'node:path';
import type { EventSink } from '../events.js';
import type { MirrorState } from './state.js';

/** A mirror that this process may write: it holds the lock. */
export interface MirrorSite {
  readonly mirrorDir: string;
  readonly state: MirrorState;
  readonly onEvent: EventSink;
}

/** The absolute place of a mirror path. */
export function sitePath(site: Pick<MirrorSite, 'mirrorDir'>, path: string): string {
  return join(site.mirrorDir, path);
}
