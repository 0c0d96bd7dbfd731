import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

const prefix = join(tmpdir(), 'update-repository-test-');
/** Who was told to end, or lost its line, may still put a file there: five seconds of tries. */
const REMOVAL = { recursive: true, force: true, maxRetries: 10, retryDelay: 100 };

/** A fresh folder that goes, with all that is in it, when the running test is over. Call it inside a test. */
export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(prefix);
  onTestFinished(() => rm(path, REMOVAL));
  return path;
}

/** The same for a whole file or `describe`, where it is called outside the tests: gone after the last of them. */
export function temporaryDirectoryOfSuite(): string {
  const path = mkdtempSync(prefix);
  afterAll(() => rmSync(path, REMOVAL));
  return path;
}
