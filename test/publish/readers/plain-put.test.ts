import { describe } from 'vitest';
import { startPlainPut } from '../../peers/plain-put.mjs';
import { haveTools } from '../../support/tools.js';
import { overHttp } from '../support/reader.js';
import { READER_TOOLS, type ReadPlace, readersSuite } from '../support/readers.js';

async function placeAt(powers: Parameters<typeof startPlainPut>[0]): Promise<ReadPlace> {
  const { url, stop } = await startPlainPut(powers);
  return { target: `${url}/images`, fetch: overHttp(`${url}/images`), end: stop };
}

describe.skipIf(!haveTools(...READER_TOOLS))('a server with PUT', () => {
  readersSuite('plain PUT that replaces at once', async () => await placeAt({ conditions: true }));
  readersSuite('PUT in place, and MOVE', async () => await placeAt({ conditions: false, inPlace: true, move: true }));
  readersSuite('PUT in place', async () => {
    const place = await placeAt({ conditions: false, inPlace: true, halfMs: 100 });
    return { ...place, tearsIndexes: true };
  });
});
