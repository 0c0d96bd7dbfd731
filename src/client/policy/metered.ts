import { execFile } from 'node:child_process';
import { childEnvironment } from '../../io/child-environment.js';
import type { Policy } from './policy.js';

/** Asks the system whether its connection is metered; null where it does not say. Never fails. */
export type AskMetered = (signal: AbortSignal) => Promise<boolean | null>;

/** Whether the connection is metered, as far as the policy has to know; null where it is not known or does not matter. */
export async function isConnectionMetered(
  { connection, metered }: Pick<Policy, 'connection' | 'metered'>,
  ask: AskMetered,
  signal: AbortSignal,
): Promise<boolean | null> {
  if (connection !== 'auto') return connection === 'metered';
  return metered === 'full' ? null : await ask(signal);
}

/** A question to NetworkManager, and how to read what is printed; null where it does not say. */
interface Question {
  readonly command: string;
  readonly args: readonly string[];
  readonly read: (output: string) => boolean | null;
}

const TIMEOUT_MS = 5_000;
const MAX_OUTPUT_BYTES = 64 * 1024;

const MANAGER = 'org.freedesktop.NetworkManager';

/*
 * NMMetered of NetworkManager's D-Bus interface: 0 unknown, 1 yes, 2 no, 3 probably yes, 4 probably no. It is the state
 * of the connection that has the default route. nmcli has a line for each device instead.
 */
const QUESTIONS: readonly Question[] = [
  {
    command: 'busctl',
    args: ['--system', 'get-property', MANAGER, '/org/freedesktop/NetworkManager', MANAGER, 'Metered'],
    read: (output) => answerOf(output.trim(), ['u 1', 'u 3'], ['u 2', 'u 4']),
  },
  {
    command: 'nmcli',
    args: ['--terse', '--get-values', 'GENERAL.METERED', 'device', 'show'],
    read: (output) => {
      const answers = output.split('\n').map((line) => answerOf(line.trim().split(' ')[0] ?? '', ['yes'], ['no']));
      return answers.includes(true) ? true : answers.includes(false) ? false : null;
    },
  },
];

/** Asks NetworkManager by `busctl`, or by `nmcli` where there is none, for some seconds at most. */
export const askNetworkManager: AskMetered = async (signal) => {
  for (const { command, args, read } of QUESTIONS) {
    const output = await outputOf(command, args, signal);
    const answer = output === null ? null : read(output);
    if (answer !== null) return answer;
  }
  return null;
};

function answerOf(text: string, yes: readonly string[], no: readonly string[]): boolean | null {
  if (yes.includes(text)) return true;
  return no.includes(text) ? false : null;
}

/** What a command prints; null when it is not there, fails, or takes too long. */
async function outputOf(command: string, args: readonly string[], signal: AbortSignal): Promise<string | null> {
  const options = { timeout: TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES, signal } as const;
  const env = childEnvironment({ LC_ALL: 'C' });
  return await new Promise((resolve) => {
    execFile(command, [...args], { ...options, env }, (error, stdout) => resolve(error === null ? stdout : null));
  });
}
