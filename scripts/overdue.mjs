// A reporter of vitest that ends test files from which nothing is heard. The limits of vitest are timers in the process
// of the test, which never go off there while that process computes without an end, or stands still: the run would wait
// for ever, and nobody would learn for what.
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { request, WebSocket } from 'undici';
import { freePort } from '../test/peers/server-process.mjs';

const here = dirname(fileURLToPath(import.meta.url));

/** How often it looks; time during which this process stood still itself does not count. */
const LOOK_MS = 1000;
/** How much longer than its own limit a test or a hook may take. */
const GRACE_MS = Number(process.env.OVERDUE_GRACE_MS ?? 300_000);
/** How long the process may take to say where it is. */
const ANSWER_MS = 10_000;

/** Where the processes of tests note what they are: a folder that {@link import('./vitest.mjs').runVitest} makes. */
const folder = process.env.OVERDUE_FOLDER;

/** What a configuration of vitest needs besides this reporter: nothing, where no folder is given. */
export const overdueSettings =
  folder === undefined
    ? {}
    : { setupFiles: [join(here, 'overdue-note.mjs')], execArgv: [`--inspect-port=127.0.0.1:${await freePort()}`] };

/**
 * What the process of a test file notes of itself; `port` is where it will listen for debuggers.
 * @typedef {{readonly path: string, readonly pid: number, readonly port: number}} Note
 */

/**
 * @typedef {import('vitest/node').TestModule} TestModule
 * @typedef {import('vitest/node').TestCase} TestCase
 * @typedef {import('vitest/node').TestSuite} TestSuite
 * @typedef {import('vitest/node').ReportedHookContext} Hook
 */

/** Made and called by vitest. */
export default class OverdueReporter {
  /** @type {Map<string, {doing: string, leftMs: number}>} what each file does, by its path */
  #files = new Map();
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  #hookLimitMs = 0;

  /** @param {import('vitest/node').Vitest} vitest */
  onInit({ config }) {
    this.#hookLimitMs = config.hookTimeout;
  }

  onTestRunStart() {
    if (folder !== undefined) this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  onTestRunEnd() {
    clearInterval(this.#timer);
  }

  /** @param {TestModule} module */
  onTestModuleQueued(module) {
    this.#heard(module, 'is loaded');
  }

  /** @param {TestModule} module */
  onTestModuleStart(module) {
    this.#heard(module, 'begins');
  }

  /** @param {Hook} hook */
  onHookStart({ name, entity }) {
    this.#heard(moduleOf(entity), `${name} of '${nameOf(entity)}' runs`);
  }

  /** @param {Hook} hook */
  onHookEnd({ name, entity }) {
    this.#heard(moduleOf(entity), `${name} of '${nameOf(entity)}' has ended`);
  }

  /** @param {TestCase} test */
  onTestCaseReady(test) {
    this.#heard(test.module, `'${test.fullName}' runs`, test.options.timeout);
  }

  /** @param {TestCase} test */
  onTestCaseResult(test) {
    this.#heard(test.module, `'${test.fullName}' has ended`);
  }

  /** @param {TestModule} module */
  onTestModuleEnd(module) {
    this.#files.delete(module.moduleId);
  }

  /**
   * @param {TestModule} module
   * @param {string} doing
   * @param {number} [limitMs] 0 is none
   */
  #heard({ moduleId }, doing, limitMs = this.#hookLimitMs) {
    this.#files.set(moduleId, { doing, leftMs: limitMs === 0 ? Infinity : limitMs + GRACE_MS });
  }

  #look() {
    for (const [path, file] of this.#files) {
      file.leftMs -= LOOK_MS;
      const note = file.leftMs > 0 ? undefined : readNotes().find((note) => note.path === path);
      if (note === undefined) continue;
      this.#files.delete(path);
      void endOverdue(note, file.doing);
    }
  }
}

/** @param {TestCase | TestSuite | TestModule} entity */
function moduleOf(entity) {
  return entity.type === 'module' ? entity : entity.module;
}

/** @param {TestCase | TestSuite | TestModule} entity */
function nameOf(entity) {
  return entity.type === 'module' ? relative('', entity.moduleId) : entity.fullName;
}

/**
 * Says what a file does for too long, and ends its process, which vitest counts as a failure.
 * @param {Note} note
 * @param {string} doing
 */
async function endOverdue({ path, pid, port }, doing) {
  console.error(`OVERDUE: ${relative('', path)}: ${doing}, and no more; process ${pid} (${stateOf(pid)}) is ended`);
  try {
    // Node begins to listen for debuggers, whatever it is doing.
    process.kill(pid, 'SIGUSR1');
    console.error(await whereItIs(port, AbortSignal.timeout(ANSWER_MS)));
  } catch (error) {
    console.error(`it does not say where it is: ${error instanceof Error ? error.message : error}`);
  }
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** @returns {Note[]} */
function readNotes() {
  const names = readdirSync(String(folder)).filter((name) => name.endsWith('.process'));
  return names.map((name) => JSON.parse(readFileSync(join(String(folder), name), 'utf8')));
}

/**
 * What the kernel says of a process: running, sleeping, stopped…
 * @param {number} pid
 */
function stateOf(pid) {
  try {
    return /^State:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  } catch {
    return 'in an unknown state';
  }
}

/**
 * What the process that listens for debuggers waits for, and its stack.
 * @param {number} port
 * @param {AbortSignal} signal
 */
async function whereItIs(port, signal) {
  const socket = new WebSocket(await inspected(port, signal));
  try {
    await once(socket, 'open', { signal });
    const expression = "Error.stackTraceLimit = 50; new Error(process.getActiveResourcesInfo().join(' ')).stack";
    socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } }));
    const [answer] = await once(socket, 'message', { signal });
    return JSON.parse(answer.data).result.result.value;
  } finally {
    socket.close();
  }
}

/**
 * The address of who listens for debuggers, once somebody does.
 * @param {number} port
 * @param {AbortSignal} signal
 * @returns {Promise<string>}
 */
async function inspected(port, signal) {
  for (;;) {
    try {
      const answer = await request(`http://127.0.0.1:${port}/json/list`, { signal, reset: true });
      return JSON.parse(await answer.body.text())[0].webSocketDebuggerUrl;
    } catch {
      await wait(100, null, { signal });
    }
  }
}
