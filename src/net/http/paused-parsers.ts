import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { EventEmitter } from 'node:events';

/*
 * undici 7 fails on an assertion, which nobody can catch, when a server that does not keep a connection ends it while the
 * reader of the answer is behind: its parser is paused then, and is asked to finish (nodejs/undici#5360, mended in
 * undici 8, which needs Node 22). So a paused parser goes on first: what is left for it is little, as all that the
 * connection had was read by then.
 */

/** Sees to it that no connection of undici's ends with a paused parser. May be called again. */
export function endPausedParsers(): void {
  unsubscribe('undici:client:connected', onConnected);
  subscribe('undici:client:connected', onConnected);
}

function onConnected(message: unknown): void {
  const { socket } = message as { readonly socket: EventEmitter };
  for (const event of ['end', 'error', 'close']) socket.prependListener(event, () => goOn(socket));
}

/** All that the connection had has been read: what a parser has left is the end of an answer. */
function goOn(socket: EventEmitter): void {
  const parser = parserOf(socket);
  if (parser?.paused !== true || parser.ptr === null) return;
  parser.resume();
  if (!parser.paused) return;
  // An answer without a length has no end before the connection's, and pauses again.
  parser.llhttp.llhttp_resume(parser.ptr);
  parser.paused = false;
}

interface Parser {
  paused: boolean;
  readonly ptr: unknown;
  readonly llhttp: { llhttp_resume(ptr: unknown): void };
  resume(): void;
}

function parserOf(socket: EventEmitter): Parser | null {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'parser');
  const parser: unknown = symbol === undefined ? null : Reflect.get(socket, symbol);
  return isParser(parser) ? parser : null;
}

function isParser(value: unknown): value is Parser {
  return (
    typeof value === 'object' && value !== null && ['paused', 'ptr', 'llhttp', 'resume'].every((name) => name in value)
  );
}
