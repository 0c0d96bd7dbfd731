import fc from 'fast-check';
import { pseudoRandomBytes, pseudoRandomNumbers } from '../../support/pseudo-random.js';

/** A base and what became of it. */
export interface EditedPair {
  readonly base: Buffer;
  readonly target: Buffer;
}

const contents = ['random', 'constant', 'periodic', 'words', 'near-duplicates'] as const;
const edits = ['insert', 'delete', 'overwrite', 'move', 'repeat', 'run', 'sprinkle', 'foreign'] as const;

interface Piece {
  readonly content: (typeof contents)[number];
  readonly sizeBytes: number;
  readonly seed: number;
}

interface Edit {
  readonly edit: (typeof edits)[number];
  /** Where, as a part of the text. */
  readonly at: number;
  readonly to: number;
  readonly sizeBytes: number;
  readonly seed: number;
}

/** Pairs whose base has up to `maxBytes` bytes, small ones as likely as large ones, of all sorts of content. */
export function editedPair(maxBytes: number): fc.Arbitrary<EditedPair> {
  return editedChain(maxBytes, 2).map(([base, target]) => ({ base: base!, target: target! }));
}

/** As {@link editedPair}, but `length` versions, each made of the one before. */
export function editedChain(maxBytes: number, length: number): fc.Arbitrary<Buffer[]> {
  const seed = fc.nat({ max: 1_000_000 });
  const piece = fc.record({ content: fc.constantFrom(...contents), sizeBytes: sizeUpTo(maxBytes / 3), seed });
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  const edit = fc.record({
    edit: fc.constantFrom(...edits),
    at: place,
    to: place,
    sizeBytes: sizeUpTo(maxBytes / 8),
    seed,
  });
  const steps = fc.array(fc.array(edit, { maxLength: 6 }), { minLength: length - 1, maxLength: length - 1 });
  return fc.record({ pieces: fc.array(piece, { maxLength: 3 }), steps }).map(({ pieces, steps }) => {
    const versions: Buffer[] = [Buffer.concat(pieces.map(contentOf))];
    for (const step of steps) versions.push(step.reduce(edited, versions.at(-1)!));
    return versions;
  });
}

/** Log-uniform, and now and then a size at which some block ends. */
function sizeUpTo(maxBytes: number): fc.Arbitrary<number> {
  const logarithmic = fc
    .double({ min: 0, max: Math.log2(maxBytes + 1), noNaN: true })
    .map((log) => Math.floor(2 ** log) - 1);
  const boundary = fc
    .tuple(fc.constantFrom(16, 32, 64, 256, 512, 1024, 4096, 8192, 65536), fc.integer({ min: -1, max: 1 }))
    .map(([block, difference]) => Math.min(block + difference, Math.floor(maxBytes)));
  return fc.oneof({ arbitrary: logarithmic, weight: 3 }, { arbitrary: boundary, weight: 1 });
}

function contentOf({ content, sizeBytes, seed }: Piece): Buffer {
  switch (content) {
    case 'random':
      return pseudoRandomBytes(`${seed}`, sizeBytes);
    case 'constant':
      return Buffer.alloc(sizeBytes, seed % 256);
    case 'periodic':
      return Buffer.alloc(sizeBytes, pseudoRandomBytes(`${seed}`, 1 + (seed % 40)));
    case 'words':
      return words(seed, sizeBytes);
    case 'near-duplicates':
      return nearDuplicates(seed, sizeBytes);
  }
}

/** Sixteen words in random order: much that is equal for a few bytes. */
function words(seed: number, sizeBytes: number): Buffer {
  const random = pseudoRandomBytes(`${seed}`, Math.ceil(sizeBytes / 8));
  return Buffer.from([...random].map((byte) => `word-${byte % 16} `).join('')).subarray(0, sizeBytes);
}

/** Pages that differ in a byte or two. */
function nearDuplicates(seed: number, sizeBytes: number): Buffer {
  const pageBytes = 64 + (seed % 1000);
  const text = Buffer.alloc(sizeBytes, pseudoRandomBytes(`${seed}`, pageBytes));
  for (let at = seed % pageBytes; at < sizeBytes; at += pageBytes) text[at] = (at / 7) % 256;
  return text;
}

function edited(text: Buffer, { edit, at, to, sizeBytes, seed }: Edit): Buffer {
  const start = Math.floor(at * text.length);
  const end = Math.min(start + sizeBytes, text.length);
  const part = text.subarray(start, end);
  const [before, after] = [text.subarray(0, start), text.subarray(end)];
  const fresh = pseudoRandomBytes(`${seed}/fresh`, sizeBytes);
  switch (edit) {
    case 'insert':
      return Buffer.concat([before, fresh, part, after]);
    case 'delete':
      return Buffer.concat([before, after]);
    case 'overwrite':
      return Buffer.concat([before, fresh.subarray(0, part.length), after]);
    case 'move': {
      const rest = Buffer.concat([before, after]);
      const place = Math.floor(to * rest.length);
      return Buffer.concat([rest.subarray(0, place), part, rest.subarray(place)]);
    }
    case 'repeat':
      return Buffer.concat([before, part, part, after]);
    case 'run':
      return Buffer.concat([before, Buffer.alloc(sizeBytes, seed % 256), after]);
    case 'sprinkle':
      return sprinkled(text, start, end, seed);
    case 'foreign':
      return fresh;
  }
}

/** Changes single bytes, some tens of bytes apart. */
function sprinkled(text: Buffer, start: number, end: number, seed: number): Buffer {
  const changed = Buffer.from(text);
  const random = pseudoRandomNumbers(`${seed}/sprinkle`);
  for (let at = start; at < end; at += 1 + Math.floor(random() * 60)) changed[at] = Math.floor(random() * 256);
  return changed;
}
