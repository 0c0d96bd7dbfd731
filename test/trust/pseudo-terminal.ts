import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { constants } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { ReadStream, WriteStream } from 'node:tty';
import { onTestFinished, vi } from 'vitest';
import type { Terminal } from '../../src/trust/hidden-line.js';

/** Says the terminal's name, then passes on what is typed at it and what it shows. */
const PROGRAM = `
import os, pty, select, sys
master, slave = pty.openpty()
print(os.ttyname(slave), flush=True)
while True:
    for ready in select.select([0, master], [], [])[0]:
        data = os.read(ready, 4096)
        if not data: sys.exit()
        os.write(master if ready == 0 else 1, data)
`;

/** A terminal of the kernel's, with a user who types and sees what it shows. Gone after the test. */
export class PseudoTerminal {
  readonly terminal: Terminal;
  /** Of a device. */
  readonly name: string;
  readonly #python: ChildProcessByStdio<Writable, Readable, null>;
  #shown = '';

  private constructor(name: string, python: ChildProcessByStdio<Writable, Readable, null>) {
    const open = () => openSync(name, constants.O_RDWR | constants.O_NOCTTY);
    const input = new ReadStream(open());
    const output = new WriteStream(open());
    this.terminal = { input, output };
    this.name = name;
    this.#python = python;
    python.stdout.on('data', (text: string) => {
      this.#shown += text;
    });
    onTestFinished(() => {
      input.destroy();
      output.destroy();
    });
  }

  static async open(): Promise<PseudoTerminal> {
    const python = spawn('python3', ['-c', PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => void python.kill('SIGKILL'));
    const name = await new Promise<string>((resolve, reject) => {
      python.on('error', reject);
      let line = '';
      python.stdout.setEncoding('utf8').on('data', function take(text: string) {
        line += text;
        if (!line.endsWith('\n')) return;
        python.stdout.off('data', take);
        resolve(line.trim());
      });
    });
    return new PseudoTerminal(name, python);
  }

  get shown(): string {
    return this.#shown;
  }

  async waitFor(text: string): Promise<void> {
    await vi.waitFor(
      () => {
        if (!this.#shown.includes(text)) throw new Error(`shown is only ${JSON.stringify(this.#shown)}`);
      },
      { timeout: 30_000 },
    );
  }

  type(text: string): void {
    this.#python.stdin.write(text);
  }
}
