import { readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { activate } from '../../../src/client/device/activate.js';
import { partials } from '../../../src/client/device/partials.js';
import { surveyImages } from '../../../src/client/device/survey.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import {
  addImage,
  addMade,
  dayImage,
  dayPublished,
  metaOf,
  NO_HOOKS,
  opened,
  STEM,
} from './support/device-directory.js';

const runs = Number(process.env.SOAK_RUNS ?? 60);
const seed = Number(process.env.SOAK_SEED ?? 1);

const names = fc.constantFrom(
  dayImage(1),
  dayImage(2),
  dayImage(3),
  '../x',
  '/etc/passwd',
  'current',
  '',
  '.',
  '..',
  'a\0b',
  STEM,
);
const values = fc.oneof(
  names,
  fc.constantFrom('a'.repeat(64), '20240101060000', 'activate'),
  fc.jsonValue(),
  fc.integer(),
);
const pointers = fc.record({ current: fc.option(names), previous: fc.option(names) });
const record = fc.dictionary(
  fc.constantFrom(
    'series',
    'version',
    'sha256',
    'publishedSha256',
    'state',
    'kind',
    'sizeBytes',
    'checkpoint',
    '__proto__',
  ),
  values,
);
const text = fc.oneof(
  fc
    .record({ kind: fc.constantFrom('activate', 'rollback', 'x'), from: pointers, to: pointers })
    .map((value) => JSON.stringify(value)),
  fc.dictionary(names, record).map((value) => JSON.stringify(value)),
  record.map((value) => JSON.stringify(value)),
  fc.json(),
  fc.string({ unit: 'binary' }),
);

it(
  `whatever the state files hold, nothing leaves the directory and the update goes on (SOAK_RUNS=${runs})`,
  async () => {
    await fc.assert(
      fc.asyncProperty(text, text, text, async (images, change, partial) => {
        const folder = await temporaryDirectory();
        const { device: first } = await opened(folder);
        await first.close();
        const place = join(folder, '.update-repository');
        addImage(folder, 1);
        symlinkSync(dayImage(1), join(folder, 'current'));
        addMade(folder, 2);
        writeFileSync(join(place, 'images.json'), images);
        writeFileSync(join(place, 'switch.json'), change);
        writeFileSync(join(place, 'partial', dayImage(3)), 'bytes');
        writeFileSync(join(place, 'partial', `${dayImage(3)}.json`), partial);
        const { device } = await opened(folder);
        expect(readlinkSync(join(folder, 'current'))).toBe(dayImage(1));
        expect([...(await partials(device)).keys()]).toContain(dayImage(2));
        expect((await surveyImages(device, metaOf([1, 2]))).map(({ filename }) => filename)).toEqual([dayImage(1)]);
        await activate(device, dayPublished(2), { hooks: NO_HOOKS, keep: 1, protectedNames: new Set() });
        expect(readlinkSync(join(folder, 'current'))).toBe(dayImage(2));
        expect(readlinkSync(join(folder, 'previous'))).toBe(dayImage(1));
        expect(readdirSync(folder).sort()).toEqual([
          '.update-repository',
          'current',
          'previous',
          dayImage(1),
          dayImage(2),
        ]);
        await device.close();
      }),
      { numRuns: runs, seed },
    );
  },
  120_000 + runs * 1_000,
);
