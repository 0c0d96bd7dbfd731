import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { failureLines, toFailure } from '../../src/cli/failure.js';
import { choosePalette } from '../../src/cli/render/colors.js';
import { UpdateRepositoryError } from '../../src/errors.js';

const plain = choosePalette({ isTerminal: false, allowed: true, env: {} });
const running = new AbortController().signal;

function thrownBy(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

describe('what a command threw', () => {
  it('an error of ours stays as it is', () => {
    const error = new UpdateRepositoryError('LOCKED', 'locked');
    expect(toFailure(error, running)).toBe(error);
  });

  it("commander's complaint becomes one line with its suggestion", () => {
    const error = new CommanderError(1, 'commander.unknownOption', "error: unknown option '--x'\n(Did you mean --y?)");
    expect(toFailure(error, running)).toMatchObject({
      code: 'USAGE',
      message: "unknown option '--x' (did you mean --y?)",
    });
  });

  it('a failed system call is no bug', () => {
    const failure = toFailure(
      thrownBy(() => readFileSync('/no/such/file')),
      running,
    );
    expect(failure).toMatchObject({
      code: 'NOT_FOUND',
      message: '/no/such/file: cannot open: no such file or directory',
    });
  });

  it('anything else is a bug and keeps the stack of the place where it was thrown', () => {
    const bug = new TypeError('x is not a function');
    const failure = toFailure(bug, running);
    expect(failure).toMatchObject({ code: 'INTERNAL', message: 'x is not a function', stack: bug.stack });
    expect(toFailure('text', running)).toMatchObject({ code: 'INTERNAL', message: 'text' });
  });

  it('work that stopped because of a signal failed for the reason of the signal', () => {
    const controller = new AbortController();
    controller.abort(new UpdateRepositoryError('INTERRUPTED', 'interrupted by SIGTERM'));
    const aborted = thrownBy(() => AbortSignal.abort().throwIfAborted());
    expect(toFailure(aborted, controller.signal).message).toBe('interrupted by SIGTERM');
    const ours = new UpdateRepositoryError('INTERRUPTED', 'interrupted');
    expect(toFailure(ours, controller.signal).message).toBe('interrupted by SIGTERM');
  });

  it('a failure that has nothing to do with the signal is not hidden by it', () => {
    const controller = new AbortController();
    controller.abort(new UpdateRepositoryError('INTERRUPTED', 'interrupted by SIGTERM'));
    const error = new UpdateRepositoryError('IO', 'disk');
    expect(toFailure(error, controller.signal)).toBe(error);
  });
});

describe('what the user is told of a failure', () => {
  it('is one line', () => {
    expect(failureLines(new UpdateRepositoryError('IO', 'a: cannot read'), plain)).toEqual([
      'update-repository: a: cannot read',
    ]);
  });

  it('is a second one where there is a hint', () => {
    expect(failureLines(new UpdateRepositoryError('IO', 'a', { hint: 'try b' }), plain)).toEqual([
      'update-repository: a',
      'hint: try b',
    ]);
  });

  it('cannot steer the terminal by a file name', () => {
    expect(failureLines(new UpdateRepositoryError('IO', 'a\u001b[2J\nb'), plain)).toEqual([
      'update-repository: a\\x1b[2J\\x0ab',
    ]);
  });

  it('is the stack and a request where it is a bug', () => {
    const lines = failureLines(toFailure(new TypeError('oops'), running), plain);
    expect(lines[0]).toBe('update-repository: oops');
    expect(lines[1]).toBe('TypeError: oops');
    expect(lines[2]).toMatch(/^ {4}at .*failure\.test/);
    expect(lines.at(-1)).toBe('This is a bug in update-repository: please report it with these lines.');
  });
});
