import type { EventSink, UpdateCheckEvent } from '../../events.js';
import type { Notice } from './notice.js';
import { postNotice } from './post-notice.js';
import { runNotice } from './run-notice.js';

export interface TellOptions {
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/**
 * Tells somebody what a check has found.
 *
 * @throws UpdateRepositoryError IO when a command fails; NETWORK or STORAGE when a webhook does; INTERRUPTED
 */
export async function tell(notice: Notice, check: UpdateCheckEvent, options: TellOptions): Promise<void> {
  switch (notice.kind) {
    case 'command':
      await runNotice(notice.command, check, options.signal);
      break;
    case 'webhook':
      await postNotice(notice.url, check, options);
      break;
  }
}
