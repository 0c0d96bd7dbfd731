import { crc32 } from 'node:zlib';
import xz from 'xz-decompress';
import { damagedData } from '../damage.js';
import { BRANCH_FILTERS, type UndoFilter } from './bcj.js';
import { buildXzStream } from './build-stream.js';
import { parseXzStream } from './parse-stream.js';

/**
 * Unpacks one .xz stream as squashfs stores it: one block of LZMA2, a branch filter (`mksquashfs -Xbcj`) before it or
 * not.
 *
 * The library behind it knows no filters, and takes what memory the dictionary asks for, which WebAssembly never gives
 * back. So it gets the LZMA2 data in a stream of our own, with a dictionary of the size of the output; filters and
 * check are done here. Needs three times `maxOutputBytes` of memory and some 200 KiB.
 *
 * @throws FORMAT where the stream is damaged, has a filter that is not known, or unpacks to more than `maxOutputBytes`.
 */
export async function decompressXz(bytes: Uint8Array, maxOutputBytes: number): Promise<Uint8Array> {
  const { packed, unpackedBytes, filters, crc } = parseXzStream(bytes);
  if (unpackedBytes > maxOutputBytes) {
    throw damagedData('xz', bytes.length, `at most ${maxOutputBytes} unpacked bytes`, `${unpackedBytes}`);
  }
  const undo = filters.map(undoFilter).reverse();
  const output = await unpackLzma2(packed, unpackedBytes);
  for (const filter of undo) filter(output);
  if (crc !== null && crc !== crc32(output)) {
    throw damagedData('xz', bytes.length, 'bytes that fit their CRC32', 'others');
  }
  return output;
}

function undoFilter(id: number): UndoFilter {
  const filter = BRANCH_FILTERS.get(id);
  if (filter !== undefined) return filter;
  throw damagedData('xz', 0, 'a filter for x86, PowerPC, ARM or SPARC', `filter ${id}`);
}

async function unpackLzma2(packed: Uint8Array, unpackedBytes: number): Promise<Uint8Array> {
  const output = new Uint8Array(unpackedBytes);
  let done = 0;
  const reader = new xz.XzReadableStream(streamOf(buildXzStream(packed, unpackedBytes))).getReader();
  for (;;) {
    const part = await readPart(reader);
    if (part === undefined) break;
    if (done + part.length > unpackedBytes) {
      await reader.cancel();
      throw damagedData('xz', packed.length, `${unpackedBytes} unpacked bytes`, 'more');
    }
    output.set(part, done);
    done += part.length;
  }
  if (done === unpackedBytes) return output;
  throw damagedData('xz', packed.length, `${unpackedBytes} unpacked bytes`, `${done}`);
}

/** All that the library throws here, whatever its type, comes from the data. */
async function readPart(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return (await reader.read()).value;
  } catch (error) {
    throw damagedData('xz', 0, 'LZMA2 data', error instanceof Error ? error.message : String(error), error);
  }
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}
