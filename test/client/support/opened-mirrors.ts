import { createHash } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { type Mirrors, type MirrorsOptions, openMirrors } from '../../../src/client/download/mirrors.js';
import type { RemoteFile } from '../../../src/client/download/remote-file.js';
import { parseSha256Hex } from '../../../src/metadata/brands.js';

/** Limits that no server of a test reaches that does its best, on a machine that is busy. */
export const WIDE_LIMITS = {
  answerTimeoutMs: 15_000,
  textTimeoutMs: 30_000,
  pace: { bytesPerSecond: 500, windowMs: 15_000 },
};

/** Limits that a test can wait for. */
export const SHORT_LIMITS = {
  answerTimeoutMs: 500,
  textTimeoutMs: 3_000,
  pace: { bytesPerSecond: 500, windowMs: 300 },
};

/** Mirrors that are closed when the running test is over, with the notes that they make. */
export async function openedMirrors(
  roots: readonly string[],
  options: Partial<MirrorsOptions> & { readonly attempts?: number } = {},
): Promise<{ mirrors: Mirrors; notes: string[] }> {
  const notes: string[] = [];
  const retry: MirrorsOptions['retry'] = {
    attempts: options.attempts ?? 4,
    firstPauseMs: 1,
    onEvent: (event) => {
      if (event.type === 'note') notes.push(event.message);
    },
  };
  const mirrors = await openMirrors({ roots, limits: WIDE_LIMITS, retry, ...options });
  onTestFinished(() => mirrors.close());
  return { mirrors, notes };
}

/** A text that is understood by whoever asked for it. */
export function asText(text: string, file: string): { readonly text: string; readonly file: string } {
  return { text, file };
}

/** What metadata says of a file with these bytes. */
export function remoteFile(path: string, bytes: Buffer, fallbackUrls: readonly string[] = []): RemoteFile {
  const sha256 = parseSha256Hex(createHash('sha256').update(bytes).digest('hex'), 'a test');
  return { path, fallbackUrls, sizeBytes: bytes.length, sha256 };
}
