import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** Longer lines are cut. */
const MAX_LINE = 1_000;

/** Calls `onLine` for each line of a stream of UTF-8 without its end; empty ones are left out. Holds one line. */
export function eachLine(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const tell = (line: string): void => {
    if (line.trim() !== '') onLine(line.slice(0, MAX_LINE));
  };
  stream.on('data', (bytes: Buffer) => {
    const lines = (rest + decoder.write(bytes)).split(/[\r\n]/);
    rest = (lines.pop() ?? '').slice(0, MAX_LINE);
    lines.forEach(tell);
  });
  stream.on('close', () => tell(rest));
}
