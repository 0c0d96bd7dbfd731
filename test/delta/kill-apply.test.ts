import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type DeltaPlace, parseDeltaPlace } from '../../src/delta/delta-place.js';
import { pseudoRandomBytes, pseudoRandomNumbers } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { makeDelta } from './support/engine.js';

const kills = Number(process.env.SOAK_KILLS ?? 12);
const seed = process.env.SOAK_SEED ?? '1';
const program = fileURLToPath(new URL('support/apply-once.mjs', import.meta.url));

const base = pseudoRandomBytes('killed', 12_000_000);
const target = Buffer.concat([base.subarray(5_000_003), pseudoRandomBytes('killed fresh', 4_000_000), base]);
for (let at = 500; at < target.length; at += 70_000) target[at]! ^= 1;

test(
  `a delta being applied that is killed ${kills} times (SOAK_SEED=${seed}) goes on from its last checkpoint`,
  async () => {
    const dir = await temporaryDirectory();
    const { basePath, deltaPath } = makeDelta(dir, base, target);
    const random = pseudoRandomNumbers(seed);
    const [path, checkpointPath] = [join(dir, 'made'), join(dir, 'checkpoint')];
    const wanted = { path, sizeBytes: target.length, sha256: createHash('sha256').update(target).digest('hex') };
    let usualMs = 400;
    let resumed = 0;
    for (let killed = 0; killed < kills; ) {
      writeFileSync(checkpointPath, '');
      rmSync(path, { force: true });
      const [everyBytes, pieceBytes] = [2 ** (18 + Math.floor(random() * 5)), 2 ** (9 + Math.floor(random() * 8))];
      const request = { basePath, deltaPath, target: wanted, checkpointPath, everyBytes, pieceBytes };
      for (let ending = 'killed'; ending === 'killed'; ) {
        const kept = checkpointIn(checkpointPath);
        if (kept !== null) {
          resumed += 1;
          expect(readFileSync(path).subarray(0, kept.targetBytes).equals(target.subarray(0, kept.targetBytes))).toBe(
            true,
          );
        }
        const started = performance.now();
        const run = await runAndKill(JSON.stringify(request), random() * usualMs, random() < 0.1);
        ending = run.ending;
        if (run.asked !== null) expect(run.asked).toBe(kept?.deltaBytes ?? 0);
        // As long as it gets nowhere it needs more time.
        if (ending === 'killed' && checkpointIn(checkpointPath)?.deltaBytes === kept?.deltaBytes) usualMs *= 1.1;
        if (ending === 'killed') killed += 1;
        else usualMs = (usualMs + performance.now() - started) / 2;
      }
      expect(readFileSync(path).equals(target)).toBe(true);
    }
    expect(resumed).toBeGreaterThan(kills / 4);
  },
  120_000 + kills * 10_000,
);

function checkpointIn(path: string): DeltaPlace | null {
  const text = readFileSync(path, 'utf8');
  return text === '' ? null : parseDeltaPlace(JSON.parse(text), path, target.length);
}

/** Runs the program and kills it so long after it asked for the delta, or already as it starts. */
async function runAndKill(request: string, delayMs: number, atStart: boolean) {
  const child = spawn(process.execPath, [program, request], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let asked: number | null = null;
  const kill = () => void sleep(delayMs).then(() => child.kill('SIGKILL'));
  child.stdout.on('data', (data) => {
    asked = Number(String(data));
    kill();
  });
  if (atStart) kill();
  await ended;
  if (child.signalCode === 'SIGKILL') return { ending: 'killed', asked };
  expect(child.exitCode).toBe(0);
  return { ending: 'completed', asked };
}
