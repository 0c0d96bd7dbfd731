import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { OUTPUT_LOST, stopOnLostOutput, stopOnSignals } from '../../src/cli/interrupts.js';

function listen() {
  const source = new EventEmitter();
  const controller = new AbortController();
  const exits: number[] = [];
  stopOnSignals(source, controller, (code) => exits.push(code));
  return { source, signal: controller.signal, exits };
}

describe('signals', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('%s stops the work and says so', (name) => {
    const { source, signal, exits } = listen();
    source.emit(name);
    expect(signal.reason).toMatchObject({ code: 'INTERRUPTED', message: `interrupted by ${name}` });
    expect(exits).toEqual([]);
  });

  it('a second one ends the process at once', () => {
    const { source, exits } = listen();
    source.emit('SIGINT');
    source.emit('SIGINT');
    expect(exits).toEqual([130]);
  });
});

describe('output that cannot be written', () => {
  function lose(code: string) {
    const stdout = new Writable();
    const controller = new AbortController();
    const failures: unknown[] = [];
    stopOnLostOutput(stdout, controller, (failure) => failures.push(failure));
    stdout.emit('error', Object.assign(new Error('write'), { code, errno: -1 }));
    return { reason: controller.signal.reason, failures };
  }

  it('stops the work without a word when its reader is gone', () => {
    expect(lose('EPIPE')).toEqual({ reason: OUTPUT_LOST, failures: [] });
  });

  it('stops the work and is told when the disk is full', () => {
    const { reason, failures } = lose('ENOSPC');
    expect(reason).toBe(OUTPUT_LOST);
    expect(failures).toMatchObject([
      { code: 'NO_SPACE', message: 'standard output: cannot write: no space left on device' },
    ]);
  });
});
