import type { Command } from 'commander';
import { UpdateRepositoryError } from '../../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { fileSize } from '../file-size.js';
import type { Accept, OutputFlags, Session } from '../invocation.js';
import { performJob } from '../job.js';
import { optionValue } from '../option-value.js';
import { requireWritable } from '../output-path.js';
import { writeStdout } from '../write-stdout.js';

interface PatchFlags {
  readonly force?: boolean;
  readonly sync: boolean;
  readonly sha256?: string;
}

interface PatchPaths {
  readonly base: string;
  readonly delta: string;
  readonly target: string;
}

const EPILOGUE = `
Example:
  update-repository patch old.img old--new.rdiff new.img
`;

/** Adds `patch`: applies one delta. */
export function definePatch(program: Command, accept: Accept): void {
  const command = program
    .command('patch')
    .summary('apply a delta to its base')
    .description(
      'Apply a delta to its base, as rdiff patch does. The target is complete and on the disk before it gets its ' +
        'name, unless --no-sync is given; a run that fails or is stopped leaves none.',
    )
    .argument('<base>', 'the file that the delta was made from')
    .argument('<delta>', 'the delta, in the format of rdiff')
    .argument('<target>', 'the file to make, or - for standard output')
    .option('-f, --force', 'replace the target where it is there')
    .option(
      '--sha256 <hex>',
      'what the target must have as its sha256; exits with 3 when it has another',
      optionValue('--sha256', parseSha256),
    )
    .option('--no-sync', 'do not wait until the target is on the disk, as rdiff does not')
    .addHelpText('after', EPILOGUE);

  command.action((base: string, delta: string, target: string, flags: PatchFlags) =>
    accept(command, async (session) => {
      const paths = { base, delta, target };
      if (target !== '-') return await patchToFile(paths, flags, session);
      requireNoJson(command.optsWithGlobals<OutputFlags>());
      return await patchToStdout(paths, flags, session);
    }),
  );
}

async function patchToFile(paths: PatchPaths, flags: PatchFlags, session: Session): Promise<ExitCode> {
  const force = flags.force ?? false;
  requireWritable(paths.target, { force, inputs: [paths.delta] });
  const { applyDeltaToFile } = await import('../../delta/apply.js');
  const request = { ...requestOf(paths, flags), targetPath: paths.target, sync: flags.sync, force };
  const { sizeBytes, durationMs } = await performJob(jobOf(paths), session, async (hooks) => ({
    sizeBytes: await applyDeltaToFile(request, hooks),
    detail: `from ${paths.base}`,
  }));
  session.onEvent({ type: 'patch-summary', ...paths, targetBytes: sizeBytes, durationMs });
  return EXIT.done;
}

/** Standard output is the target then: there is no summary. */
async function patchToStdout(paths: PatchPaths, flags: PatchFlags, session: Session): Promise<ExitCode> {
  const { streamTarget } = await import('../../delta/apply.js');
  const sink = (bytes: Uint8Array) => writeStdout(session.stdout, bytes);
  await performJob(jobOf(paths), session, async (hooks) => ({
    sizeBytes: await streamTarget(requestOf(paths, flags), sink, hooks),
    detail: `from ${paths.base}`,
  }));
  return EXIT.done;
}

function requestOf({ base, delta }: PatchPaths, { sha256 }: PatchFlags) {
  return { basePath: base, deltaPath: delta, ...(sha256 === undefined ? {} : { sha256 }) };
}

/** The size of the target is not known before; that of the base is near. */
function jobOf({ base, target }: PatchPaths) {
  return { kind: 'patch', path: target, totalBytes: fileSize(base) } as const;
}

function requireNoJson({ json }: OutputFlags): void {
  if (json !== true) return;
  throw new UpdateRepositoryError('USAGE', "option '--json' cannot be used with '-': both want standard output");
}

function parseSha256(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw new UpdateRepositoryError('USAGE', `expected a sha256 of 64 hex digits, found '${text}'`);
}
