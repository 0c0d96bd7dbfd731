import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../../cli/run.js';
import type { Claim } from '../../support/index-claims.js';
import { temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { type ChangingMirror, makeChangingMirror } from './changing-mirror.js';
import { type Fetch, Reader } from './reader.js';

/** A place that is published to and read from, new and empty. */
export interface ReadPlace {
  readonly target: string;
  /** How its readers get at it. */
  readonly fetch: Fetch;
  /** What `publish` and `prune` are told besides. */
  readonly options?: readonly string[];
  /** What only `publish` is told. */
  readonly publishOptions?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Indexes are written where readers get them, so a part of one may come; each of them tells that it is one. */
  readonly tearsIndexes?: boolean;
  end(): Promise<void>;
}

/** What all suites of readers need. */
export const READER_TOOLS = ['mksquashfs', 'cksum'];

const publishes = Number(process.env.SOAK_PUBLISHES ?? 3);

/** What readers of every place may rely on while it is published to. Needs {@link READER_TOOLS}. */
export function readersSuite(name: string, start: (dir: string) => Promise<ReadPlace>): void {
  describe(`readers of ${name}`, () => {
    const dir = temporaryDirectoryOfSuite();
    let place: ReadPlace;
    let mirror: ChangingMirror;
    beforeAll(
      async () => {
        mirror = await makeChangingMirror(dir, publishes);
        place = await start(dir);
      },
      120_000 + publishes * 10_000,
    );
    afterAll(() => place?.end());

    const run = async (...args: string[]) => await runCli(['--quiet', ...args, ...(place.options ?? [])], place.env);
    const publish = () => run('publish', ...(place.publishOptions ?? []), mirror.path, place.target);
    const prune = () => run('prune', place.target);

    test(
      `find all that any index names, with the right bytes, at every instant of ${publishes} publishes (SOAK_PUBLISHES)`,
      async () => {
        const reader = new Reader(place.fetch);
        const everNamed = new Map<string, Claim>();
        const remember = async (): Promise<Claim[]> => {
          const claims = await reader.claims();
          for (const claim of claims) everNamed.set(`${claim.source} ${claim.path} ${claim.kind}`, claim);
          return claims;
        };
        for (let turn = 1; turn <= publishes; turn += 1) {
          await mirror.next();
          // Whoever has read the indexes and is slow asks for the files when others have taken their place.
          const readBefore = await remember();
          expect(await reader.readWhile(publish())).toMatchObject({ code: 0 });
          await reader.check(readBefore);
          if (turn % 3 === 0) expect(await reader.readWhile(prune())).toMatchObject({ code: 0 });
        }
        await remember();
        await reader.check([...everNamed.values()]);
        report(name, reader);
        expect([...everNamed.values()].some(({ path }) => path.startsWith('rdiffs/'))).toBe(true);
        const { missing, wrong, torn, rounds, generations } = reader.seen;
        expect({ missing: missing.slice(0, 10), wrong: wrong.slice(0, 10) }).toEqual({ missing: [], wrong: [] });
        if (place.tearsIndexes === true) expect(torn).toBeGreaterThan(0);
        else expect(torn).toBe(0);
        expect(rounds, 'rounds while it was published to').toBeGreaterThanOrEqual(2 * publishes);
        expect(generations.size, 'sets of indexes that were read').toBeGreaterThanOrEqual(publishes / 2);
      },
      120_000 + publishes * 60_000,
    );
  });
}

function report(name: string, { seen }: Reader): void {
  const { rounds, files, generations, missing, wrong, torn, withdrawn } = seen;
  process.stderr.write(
    `readers of ${name}, ${publishes} publishes: ${rounds} rounds, ${generations.size} sets of indexes, ${files} files fetched, ` +
      `${missing.length} missing, ${wrong.length} wrong, ${torn} torn indexes, ${withdrawn} withdrawn meta files\n`,
  );
}
