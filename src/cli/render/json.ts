import type { SerializedError, UpdateRepositoryError } from '../../errors.js';
import type { RepositoryEvent } from '../../events.js';
import type { Renderer } from './renderer.js';
import type { OutputStream } from './streams.js';

/** The last line of `--json` when the command failed. */
export interface ErrorLine {
  readonly type: 'error';
  readonly error: SerializedError;
}

/** Prints each event as one line of JSON. */
export class JsonRenderer implements Renderer {
  readonly #stdout: OutputStream;

  constructor(stdout: OutputStream) {
    this.#stdout = stdout;
  }

  onEvent(event: RepositoryEvent): void {
    const shown =
      event.type === 'job-failed' || event.type === 'target-failed'
        ? { ...event, error: withoutStack(event.error) }
        : event;
    this.#stdout.write(jsonLine(shown));
  }

  close(): void {
    // Every line is complete as soon as it is written.
  }
}

/** The line that tells a program of `failure`. Stacks are for people: they go to stderr. */
export function errorLine(failure: UpdateRepositoryError): string {
  const line: ErrorLine = { type: 'error', error: withoutStack(failure.toJSON()) };
  return jsonLine(line);
}

/** JSON leaves DEL and the C1 control characters as they are; here they are escaped like the others. */
function jsonLine(value: RepositoryEvent | ErrorLine): string {
  const json = JSON.stringify(value).replace(/[\u007f-\u009f]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `${json}\n`;
}

function withoutStack({ stack: _, ...rest }: SerializedError): SerializedError {
  return rest;
}
