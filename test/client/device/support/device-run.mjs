// device-run.mjs open|activate|rollback|remove plain|puavo DIR [IMAGE-JSON [KEEP [PRE [POST]]]]: does one thing to a device's
// directory with the compiled library, in a process that a test may kill. Ends with 1 and one line when it fails.
import { join } from 'node:path';

const load = (/** @type {string} */ name) =>
  import(new URL(`../../../../dist/client/device/${name}.js`, import.meta.url).href);
const { openDevice } = await load('device');
const { plainLayout } = await load('plain-layout');
const { puavoLayout } = await load('puavo/puavo-layout');
const { activate } = await load('activate');
const { rollback } = await load('rollback');
const { removeForRoom } = await load('removable');
const { surveyImages } = await load('survey');

const [action, layout = '', dir = '', image = 'null', keep = 'null', preActivate, postActivate] = process.argv.slice(2);
const places = { bootedName: join(dir, 'booted'), managedImages: join(dir, 'managed'), runPreinst: false };
const hooks = { preActivate: preActivate || null, postActivate: postActivate || null, timeoutMs: 20_000 };

try {
  const device = await openDevice(dir, {
    layout: layout === 'puavo' ? puavoLayout(places) : plainLayout,
    breakLock: false,
    signal: new AbortController().signal,
    onEvent: (/** @type {object} */ event) => process.stdout.write(`${JSON.stringify(event)}\n`),
  });
  try {
    if (action === 'activate') {
      await activate(device, JSON.parse(image), { hooks, keep: JSON.parse(keep), protectedNames: new Set() });
    }
    if (action === 'remove') {
      const { series, filename } = JSON.parse(image);
      await surveyImages(device, { series, images: [] });
      await removeForRoom(device, [filename]);
    }
    if (action === 'rollback') await rollback(device, hooks);
  } finally {
    await device.close();
  }
} catch (error) {
  if (!(error instanceof Error) || !('code' in error)) throw error;
  process.stderr.write(`${error.code} ${error.message}\n`);
  process.exitCode = 1;
}
