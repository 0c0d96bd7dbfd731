import type { Command } from 'commander';
import type { EventSink } from '../events.js';
import type { ExitCode } from './exit-codes.js';
import type { RdiffExitCode } from './rdiff-exit-codes.js';
import type { OutputStream } from './render/streams.js';

/** What a running command gets: the signal that stops it, and where its events go. */
export interface Session {
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
  /** For a command whose result is a file on standard output. */
  readonly stdout: OutputStream;
}

/** A command whose line is understood: it does its work and answers with its exit code, or throws. */
export type Task = (session: Session) => Promise<ExitCode | RdiffExitCode>;

/** How the user wants the output, as commander leaves it. */
export interface OutputFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** False with `--no-color`. */
  readonly color: boolean;
}

/** A parsed command line: what to do, and how to show it. */
export interface Invocation {
  readonly output: OutputFlags;
  readonly task: Task;
}

/** How the definition of a command hands over what it understood of a line. */
export type Accept = (command: Command, task: Task) => void;
