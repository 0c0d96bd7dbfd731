import { spawn } from 'node:child_process';
import { closeSync, constants, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { getPassphrase, Passphrase, type PassphraseSources } from '../../src/trust/passphrase.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';
import { PseudoTerminal } from './pseudo-terminal.js';

const nowhere: PassphraseSources = { fd: null, env: {}, terminal: null };
const signal = new AbortController().signal;

async function get(sources: Partial<PassphraseSources>, isNew = false, stop = signal): Promise<string> {
  return (await getPassphrase({ subject: 'the key a.asc', isNew }, { ...nowhere, ...sources }, stop)).reveal();
}

async function fromFile(content: string | Buffer): Promise<string> {
  const path = join(await temporaryDirectory(), 'passphrase');
  writeFileSync(path, content);
  const fd = openSync(path, 'r');
  return get({ fd }).finally(() => closeSync(fd));
}

describe('a passphrase', () => {
  it('is shown by nothing', () => {
    const passphrase = new Passphrase('secret', 'test');
    const shown = [
      String(passphrase),
      JSON.stringify({ passphrase }),
      inspect({ passphrase }, { depth: 9, showHidden: true, getters: true }),
    ].join();
    expect(shown).not.toContain('secret');
    expect(passphrase.reveal()).toBe('secret');
  });

  it('comes from a file descriptor before all others, and loses one newline', async () => {
    expect(await fromFile('secret\n')).toBe('secret');
    expect(await fromFile('secret')).toBe('secret');
    expect(await fromFile('secret\r\n')).toBe('secret');
    expect(await fromFile(' two words \nanother line\n')).toBe(' two words ');
    expect(await fromFile('ä'.repeat(512))).toBe('ä'.repeat(512));
  });

  it.each([
    ['', 'an empty one'],
    ['\n', 'an empty one'],
    ['x'.repeat(1025), 'more than 1024 bytes'],
    ['x'.repeat(5000), 'more than 1024 bytes'],
    ['a\0b\n', 'a line break or a NUL in it'],
    [Buffer.from([0xff, 0xfe]), 'bytes that are not UTF-8'],
  ])('is not what cannot be one: %j', async (content, found) => {
    await expect(fromFile(content)).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringMatching(
        new RegExp(`^file descriptor \\d+: expected a passphrase of one line, found ${found}$`),
      ),
    });
  });

  it('comes from a pipe that stays open', async () => {
    await reading('printf "se"; sleep 0.2; printf "cret\\n"; exec sleep 60', async (fd) => {
      expect(await get({ fd, env: { UPDATE_REPOSITORY_PASSPHRASE: 'another' } })).toBe('secret');
    });
  });

  it('is waited for on a pipe until the caller stops', async () => {
    await reading('exec sleep 60', async (fd) => {
      const stopper = new AbortController();
      setTimeout(() => stopper.abort(), 200);
      await expect(get({ fd }, false, stopper.signal)).rejects.toMatchObject({ code: 'INTERRUPTED' });
    });
  });

  it('does not come from a file descriptor that is not open', async () => {
    await expect(get({ fd: 987 })).rejects.toMatchObject({
      code: 'IO',
      message: 'file descriptor 987: cannot read the passphrase: EBADF',
    });
  });

  it('comes from the environment', async () => {
    expect(await get({ env: { UPDATE_REPOSITORY_PASSPHRASE: 'secret\n' } })).toBe('secret');
    await expect(get({ env: { UPDATE_REPOSITORY_PASSPHRASE: '' } })).rejects.toMatchObject({
      message: 'UPDATE_REPOSITORY_PASSPHRASE: expected a passphrase of one line, found an empty one',
    });
  });

  it('that is nowhere is asked for in words that say where it may be', async () => {
    await expect(get({})).rejects.toMatchObject({
      code: 'CONFIG',
      message: 'the key a.asc: expected a passphrase, found no way to get one',
      hint: 'give it by --passphrase-fd N or in UPDATE_REPOSITORY_PASSPHRASE, or run it on a terminal, where it is asked for',
    });
  });
});

describe('a passphrase that is typed', () => {
  it('is not shown, and may be corrected', async (context) => {
    requireTools(context, 'python3');
    const user = await PseudoTerminal.open();
    const asked = get({ terminal: user.terminal });
    await user.waitFor('Passphrase of the key a.asc: ');
    user.type('wrong\u0015secrex');
    user.type('\u007ft ä\r');
    expect(await asked).toBe('secret ä');
    await user.waitFor('a.asc: \r\n');
    expect(user.shown).toBe('Passphrase of the key a.asc: \r\n');
    expect(user.terminal.input.isRaw).toBe(false);
  });

  it('is asked for twice where it is new', async (context) => {
    requireTools(context, 'python3');
    const user = await PseudoTerminal.open();
    const same = get({ terminal: user.terminal }, true);
    await user.waitFor('a.asc: ');
    user.type('secret\r');
    await user.waitFor('once more: ');
    user.type('secret\r');
    expect(await same).toBe('secret');
    const another = await PseudoTerminal.open();
    const different = expect(get({ terminal: another.terminal }, true)).rejects.toMatchObject({
      message: 'the key a.asc: expected the same passphrase twice, found another one',
    });
    await another.waitFor('a.asc: ');
    another.type('secret\r');
    await another.waitFor('once more: ');
    another.type('secrets\r');
    await different;
  });

  it.for([
    ['Ctrl-C', '\u0003', { code: 'INTERRUPTED' }],
    ['Ctrl-D', '\u0004', { code: 'INTERRUPTED' }],
    ['too much', 'x'.repeat(1025), { code: 'CONFIG', message: 'terminal: expected at most 1024 bytes, found more' }],
    [
      'nothing',
      '\r',
      { code: 'CONFIG', message: 'the key a.asc: expected a passphrase of one line, found an empty one' },
    ],
  ] as const)('ends by %s', async ([, typed, expected], context) => {
    requireTools(context, 'python3');
    const user = await PseudoTerminal.open();
    const asked = expect(get({ terminal: user.terminal })).rejects.toMatchObject(expected);
    await user.waitFor('a.asc: ');
    user.type(typed);
    await asked;
    expect(user.terminal.input.isRaw).toBe(false);
  });

  it('ends when the caller stops', async (context) => {
    requireTools(context, 'python3');
    const user = await PseudoTerminal.open();
    const stopper = new AbortController();
    const asked = expect(get({ terminal: user.terminal }, false, stopper.signal)).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    await user.waitFor('a.asc: ');
    stopper.abort();
    await asked;
    expect(user.terminal.input.isRaw).toBe(false);
  });

  it('is not read from a terminal by --passphrase-fd, which would show it', async (context) => {
    requireTools(context, 'python3');
    const fd = openSync((await PseudoTerminal.open()).name, constants.O_RDWR | constants.O_NOCTTY);
    await expect(get({ fd }).finally(() => closeSync(fd))).rejects.toMatchObject({
      message: `file descriptor ${fd}: expected a pipe or a file, found a terminal`,
    });
  });
});

/** Runs a shell with its output going to a pipe of the kernel's, whose other end is a descriptor of this process. */
async function reading(script: string, use: (fd: number) => Promise<void>): Promise<void> {
  const fifo = join(await temporaryDirectory(), 'fifo');
  const writer = spawn('/bin/sh', ['-c', `mkfifo "$0" && exec >"$0" && ${script}`, fifo], { stdio: 'ignore' });
  try {
    await use(await openWhenThere(fifo));
  } finally {
    writer.kill('SIGKILL');
  }
}

function openWhenThere(fifo: string): Promise<number> {
  return vi.waitFor(() => openSync(fifo, 'r'), { timeout: 30_000 });
}
