import { on } from 'node:events';
import type { ReadStream, WriteStream } from 'node:tty';
import { UpdateRepositoryError } from '../errors.js';

/** The terminal of the user: what is typed, and where the prompt is shown. */
export interface Terminal {
  readonly input: ReadStream;
  readonly output: Pick<WriteStream, 'write'>;
}

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const CTRL_U = '\u0015';

/**
 * Asks for a line on a terminal that does not show what is typed. Backspace takes a character back, Ctrl-U all of them.
 *
 * @throws UpdateRepositoryError INTERRUPTED by the signal, Ctrl-C or Ctrl-D; CONFIG when it is longer than `maxBytes`
 */
export async function readHiddenLine(
  prompt: string,
  { input, output }: Terminal,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string> {
  if (signal.aborted) throw interrupted();
  const wasRaw = input.isRaw;
  input.setRawMode(true);
  try {
    output.write(prompt);
    return await typedLine(input, maxBytes, signal);
  } finally {
    input.pause().setRawMode(wasRaw);
    output.write('\n');
  }
}

async function typedLine(input: ReadStream, maxBytes: number, signal: AbortSignal): Promise<string> {
  const line = new TypedLine();
  const typing = on(input.setEncoding('utf8').resume(), 'data', { signal, close: ['end'] });
  try {
    for await (const [typed] of typing) {
      const end = line.type(typed);
      if (Buffer.byteLength(line.text) > maxBytes) {
        throw new UpdateRepositoryError('CONFIG', `terminal: expected at most ${maxBytes} bytes, found more`);
      }
      if (end === 'interrupted') throw interrupted();
      if (end === 'entered') return line.text;
    }
  } catch (error) {
    throw signal.aborted ? interrupted() : error;
  }
  throw interrupted();
}

function interrupted(): UpdateRepositoryError {
  return new UpdateRepositoryError('INTERRUPTED', 'interrupted');
}

/** What has been typed so far, character by character. */
class TypedLine {
  #characters: string[] = [];

  get text(): string {
    return this.#characters.join('');
  }

  /** Null where the line goes on. What is typed behind its end is dropped. */
  type(typed: string): 'entered' | 'interrupted' | null {
    for (const character of typed) {
      if (character === '\r' || character === '\n') return 'entered';
      if (character === CTRL_C || character === CTRL_D) return 'interrupted';
      if (character === '\b' || character === '\u007f') this.#characters.pop();
      else if (character === CTRL_U) this.#characters = [];
      else this.#characters.push(character);
    }
    return null;
  }
}
