import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { programPath, projectRoot } from '../../cli/run.js';

const run = promisify(execFile);

/** Commands of a page, and on which machine they are to be run. */
export interface CommandBlock {
  readonly machine: string;
  readonly commands: string;
}

/** The blocks of commands of each section of docs/trust-threats.md, by its heading. */
export function commandsOfPage(): ReadonlyMap<string, readonly CommandBlock[]> {
  const page = readFileSync(join(projectRoot, 'docs', 'trust-threats.md'), 'utf8');
  const sections = page.split(/^#{2,3} /m).slice(1);
  return new Map(
    sections.map((section) => {
      const blocks = [...section.matchAll(/^```sh\n# (\w+)\n(.*?)^```$/gms)];
      return [
        section.slice(0, section.indexOf('\n')),
        blocks.map(([, machine = '', commands = '']) => ({ machine, commands })),
      ];
    }),
  );
}

/**
 * Runs commands of a page by bash as they stand, but that `/srv`, `/safe` and `/mnt` are directories of `folder`, and that no
 * server outside is named. Throws with what they printed when one fails.
 */
export async function runDocumented(
  commands: string,
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const programs = join(folder, 'bin');
  mkdirSync(programs, { recursive: true });
  const program = join(programs, 'update-repository');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${programPath}' "$@"\n`);
  chmodSync(program, 0o755);
  const placed = commands
    .replaceAll(/(?<=[\s"'])\/(?=(?:srv|safe|mnt)\/)/g, `${folder}/`)
    .replaceAll('images.example.org', 'images.invalid');
  const path = `${programs}${delimiter}${process.env.PATH ?? ''}`;
  const { stdout, stderr } = await run('bash', ['-euc', placed], { env: { ...process.env, ...env, PATH: path } });
  return stdout + stderr;
}
