import fc from 'fast-check';

/*
 * A grammar of JSON that means harm. A document of a known form is taken to pieces, some of them are replaced, repeated,
 * left out or surrounded, and the whole is written as text again: so a key may come twice, a number may be one that no
 * number of JavaScript is, and what is no JSON at all is within reach.
 */

/** JSON as it is written: keys and scalars are their very text. */
type Written =
  | { readonly kind: 'scalar'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly Written[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [key: string, value: Written])[] };

/** One change: where, as a number that is taken modulo the number of places, and what becomes of the value there. */
interface Change {
  readonly place: number;
  readonly make: (value: Written) => readonly Written[] | Written;
}

/** Names that lead out of a directory, into files of others, or nowhere. */
export const HOSTILE_NAMES: readonly string[] = [
  '',
  '.',
  '..',
  '../a.img',
  '../../etc/shadow.img',
  '/etc/passwd.img',
  'a/b.img',
  'a\\..\\b.img',
  'C:\\a.img',
  './a.img',
  'a/../../b.rdiff',
  '.update-repository',
  '.update-repository/lock.img',
  '.hidden.img',
  '-rf.img',
  '--output=x.rdiff',
  'a\u0000.img',
  'a.img\u0000.rdiff',
  'a\n.img',
  'a\r.rdiff',
  '\u001b[2Ja.img',
  '\u202egmi.a.img',
  'a\u2028.img',
  'a b.img',
  '\ufeffa.img',
  '\ud800.img',
  '\ufffd.img',
  'a%2fb.img',
  'a?.img',
  'a#.rdiff',
  `${'a'.repeat(211)}.img`,
  `${'a'.repeat(212)}.img`,
  `${'a'.repeat(251)}.img`,
  `${'a'.repeat(230)}.rdiff`,
  `${'a'.repeat(231)}.rdiff`,
  `${'a'.repeat(249)}.rdiff`,
  `${'a'.repeat(10_000)}.img`,
  `${'ä'.repeat(126)}.img`,
  'ltsp.img',
  'ltsp-backup.img',
  'LTSP.img',
  'current',
  'previous',
  'images.json',
  '__proto__',
  'constructor',
  'con.img',
];

const numbers = [
  '-1',
  '-0',
  '0',
  '1.5',
  '1e3',
  '1e-3',
  '1e308',
  '1e999',
  '-1e999',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '18446744073709551616',
  '5.00000000000000000001',
  '0x10',
  '01',
  '+1',
  'NaN',
  'Infinity',
  '"4293918720"',
];

const words = [
  'null',
  'true',
  'false',
  'undefined',
  '',
  '{',
  ']',
  '"',
  "'a'",
  '"\\u00"',
  '"\\x41"',
  '/**/1',
  '{"a":1,}',
];

const strings = fc.oneof(
  fc.constantFrom(...HOSTILE_NAMES),
  fc.constantFrom(
    '20220117120001',
    '99999999999999',
    '2022011712000',
    '２０２２０１１７１２０００１',
    '20220117120001\n',
  ),
  fc.constantFrom('a'.repeat(64), 'A'.repeat(64), 'a'.repeat(63), 'g'.repeat(128), 'a'.repeat(128), '4294967296', '00'),
  fc.constantFrom(
    'file:///etc/passwd',
    'https://a b',
    `https://${'a'.repeat(3_000)}`,
    'javascript:1',
    'https://\u0007',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

const keys = fc.constantFrom(
  '__proto__',
  'constructor',
  'toString',
  'images',
  'filename',
  'diffs',
  'size',
  'zst',
  '',
  '\u0000',
);

const scalar = fc.oneof(
  { weight: 3, arbitrary: strings.map((text) => JSON.stringify(text)) },
  { weight: 2, arbitrary: fc.constantFrom(...numbers) },
  { weight: 1, arbitrary: fc.constantFrom(...words) },
);

const anything: fc.Arbitrary<Written> = fc.oneof(
  { weight: 8, arbitrary: scalar.map(written) },
  { weight: 1, arbitrary: fc.constant<Written>({ kind: 'list', items: [] }) },
  { weight: 1, arbitrary: fc.constant<Written>({ kind: 'object', members: [] }) },
  { weight: 1, arbitrary: fc.constantFrom(3, 63, 64, 65, 5_000).map(nested) },
);

const member = fc.tuple(
  fc.oneof(keys, strings).map((key) => JSON.stringify(key)),
  anything,
);

const change: fc.Arbitrary<Change['make']> = fc.oneof(
  // Another value in its place, most of all.
  { weight: 6, arbitrary: anything.map((value) => () => value) },
  // None, or the same a second time: of an item an item twice, of a member a key twice.
  { weight: 2, arbitrary: fc.constant(() => []) },
  { weight: 2, arbitrary: fc.constant((value: Written) => [value, value]) },
  // More members, more items, in front or behind.
  {
    weight: 3,
    arbitrary: fc.tuple(member, fc.boolean()).map(
      ([one, first]) =>
        (value: Written) =>
          grown(value, one, first),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .oneof({ weight: 50, arbitrary: fc.constant(9) }, { weight: 1, arbitrary: fc.constant(10_001) })
      .map((count) => (value: Written) => multiplied(value, count)),
  },
  // The same one level deeper.
  { weight: 1, arbitrary: fc.constant((value: Written): Written => ({ kind: 'list', items: [value] })) },
);

const damage = fc.oneof(
  { weight: 12, arbitrary: fc.constant((text: string) => text) },
  { weight: 1, arbitrary: fc.constant((text: string) => `\ufeff${text}`) },
  { weight: 1, arbitrary: fc.nat().map((at) => (text: string) => text.slice(0, at % (text.length + 1))) },
  { weight: 1, arbitrary: fc.nat().map((at) => (text: string) => withByte(text, at, 0xff)) },
  { weight: 1, arbitrary: fc.nat().map((at) => (text: string) => withByte(text, at, 0x00)) },
  { weight: 1, arbitrary: fc.constantFrom('{}', ' ', ',', '\u0000').map((more) => (text: string) => text + more) },
);

/** Texts that are, or once were, one of `documents`, with up to four harmful changes. */
export function hostileText(documents: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const changes = fc.array(fc.record({ place: fc.nat(), make: change }), { maxLength: 4 });
  return fc
    .tuple(documents, changes, damage)
    .map(([document, list, finish]) => finish(textOf(list.reduce(changed, takenApart(JSON.parse(document))))));
}

function takenApart(value: unknown): Written {
  if (Array.isArray(value)) return { kind: 'list', items: value.map(takenApart) };
  if (typeof value !== 'object' || value === null) return written(JSON.stringify(value));
  return {
    kind: 'object',
    members: Object.entries(value).map(([key, one]) => [JSON.stringify(key), takenApart(one)]),
  };
}

function textOf(value: Written): string {
  switch (value.kind) {
    case 'scalar':
      return value.text;
    case 'list':
      return `[${value.items.map(textOf).join(',')}]`;
    case 'object':
      return `{${value.members.map(([key, one]) => `${key}:${textOf(one)}`).join(',')}}`;
  }
}

function changed(root: Written, { place, make }: Change): Written {
  const count = size(root);
  // Whole documents are of little interest: the first place is the root.
  const at = count > 1 ? 1 + (place % (count - 1)) : 0;
  return changedAt(root, at, make)[0] ?? root;
}

function changedAt(value: Written, at: number, make: Change['make']): readonly Written[] {
  if (at === 0) {
    const made = make(value);
    return 'kind' in made ? [made] : made;
  }
  if (value.kind === 'scalar') return [value];
  let left = at - 1;
  const inner = (one: Written): readonly Written[] => {
    const within = size(one);
    const made = left >= 0 && left < within ? changedAt(one, left, make) : [one];
    left -= within;
    return made;
  };
  return value.kind === 'list'
    ? [{ kind: 'list', items: value.items.flatMap(inner) }]
    : [
        {
          kind: 'object',
          members: value.members.flatMap(([key, one]) => inner(one).map((made) => [key, made] as const)),
        },
      ];
}

/** The number of values in it, itself included. */
function size(value: Written): number {
  if (value.kind === 'scalar') return 1;
  const inner = value.kind === 'list' ? value.items : value.members.map(([, one]) => one);
  return inner.reduce((sum, one) => sum + size(one), 1);
}

function written(text: string): Written {
  return { kind: 'scalar', text };
}

function nested(depth: number): Written {
  return written('['.repeat(depth) + ']'.repeat(depth));
}

function grown(value: Written, one: readonly [string, Written], first: boolean): Written {
  switch (value.kind) {
    case 'scalar':
      return { kind: 'object', members: [one] };
    case 'list':
      return { kind: 'list', items: first ? [one[1], ...value.items] : [...value.items, one[1]] };
    case 'object':
      return { kind: 'object', members: first ? [one, ...value.members] : [...value.members, one] };
  }
}

function multiplied(value: Written, count: number): Written {
  switch (value.kind) {
    case 'scalar':
      return { kind: 'list', items: Array<Written>(count).fill(value) };
    case 'list':
      return { kind: 'list', items: Array<Written>(count).fill(value.items[0] ?? written('0')) };
    case 'object':
      return {
        kind: 'object',
        members: Array.from({ length: count }, (_, n) => [`"k${n}"`, written('0')] as const),
      };
  }
}

/** What a reader makes of it that takes bytes for UTF-8 which are not. */
function withByte(text: string, at: number, byte: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length > 0) bytes[at % bytes.length] = byte;
  return bytes.toString('utf8');
}
