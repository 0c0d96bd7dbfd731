import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** The part of a test's context that skips it. */
export interface Skippable {
  skip(reason?: string): never;
}

/**
 * Goes on only when the reference tools `names` are installed. Otherwise the test is skipped and says so, and with
 * `CI=true` it fails: there a missing tool would be a test that silently no longer runs.
 */
export function requireTools(context: Skippable, ...names: readonly string[]): void {
  const missing = missingTools(names);
  if (missing !== undefined) skipLoudly(context, missing);
}

/**
 * The same for a suite that needs the tools before its first test: `describe.skipIf(!haveTools('rdiff'))`. An absolute
 * path is a file that has to be there.
 */
export function haveTools(...names: readonly string[]): boolean {
  const missing = missingTools(names);
  if (missing === undefined) return true;
  if (isContinuousIntegration()) throw new Error(`${missing}, and CI=true: not skipped`);
  process.stderr.write(`SKIPPED: ${missing}\n`);
  return false;
}

/** Skips a test for want of what `reason` names, visibly; fails it with `CI=true`. */
export function skipLoudly(context: Skippable, reason: string): never {
  if (isContinuousIntegration()) throw new Error(`${reason}, and CI=true: not skipped`);
  process.stderr.write(`SKIPPED: ${reason}\n`);
  return context.skip(reason);
}

function missingTools(names: readonly string[]): string | undefined {
  const missing = names.filter((name) => (isAbsolute(name) ? !existsSync(name) : pathOfTool(name) === undefined));
  return missing.length === 0 ? undefined : `${missing.join(', ')} not installed`;
}

function isContinuousIntegration(): boolean {
  return process.env.CI === 'true';
}

/** Where `name` is: on PATH, or in one of the system folders that PATH leaves out for those who are not root. */
export function pathOfTool(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutableFile);
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
