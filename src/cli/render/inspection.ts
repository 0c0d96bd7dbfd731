import type {
  DeltaInspection,
  ImageInspection,
  IndexInspection,
  InspectionEvent,
  MetaInspection,
  SignatureInspection,
} from '../../events.js';
import { formatBytes } from '../bytes.js';
import { count } from './count.js';
import { printable } from './printable.js';
import type { Layout } from './summary.js';
import { type Column, renderTable } from './table.js';

/** What `inspect` found, for people: facts with their names, then a table of what a list names. */
export function inspectionLines(event: InspectionEvent, layout: Layout): string[] {
  const facts: Facts = [['file', printable(event.path)], ['size', exactBytes(event.sizeBytes)], ...factsOf(event)];
  const width = Math.max(...facts.map(([name]) => name.length));
  const lines = facts.map(([name, value]) => `${layout.palette.heading(name.padEnd(width))}  ${value}`);
  return [...lines, ...tableOf(event, layout)];
}

type Facts = readonly (readonly [name: string, value: string])[];

function factsOf(event: InspectionEvent): Facts {
  switch (event.kind) {
    case 'image':
      return imageFacts(event);
    case 'delta':
      return deltaFacts(event);
    case 'signature':
      return signatureFacts(event);
    case 'meta':
      return [
        ['kind', 'meta file of a series'],
        ['series', printable(event.series)],
        ['images', String(event.images.length)],
      ];
    case 'index':
      return [
        ['kind', 'index.json of a mirror'],
        ['series', String(event.series.length)],
      ];
    case 'checksums':
      return [
        ['kind', `${event.list} of a mirror`],
        ['files', String(event.files)],
        ...(event.totalBytes === null ? [] : [['all files', exactBytes(event.totalBytes)] as const]),
      ];
  }
}

function imageFacts({ format, squashfs, puavo }: ImageInspection): Facts {
  const label = (text: string | null) => (text === null ? '-' : printable(text));
  return [
    ['kind', `${format} image`],
    ...(squashfs === null
      ? []
      : ([
          ['compressor', squashfs.compressor],
          ['block size', exactBytes(squashfs.blockBytes)],
          ['used', exactBytes(squashfs.usedBytes)],
          ['inodes', String(squashfs.inodes)],
          ['created', squashfs.createdAt],
        ] as const)),
    ...(puavo === null
      ? []
      : ([
          ['puavo name', label(puavo.name)],
          ['puavo class', label(puavo.class)],
          ['puavo release', label(puavo.release)],
        ] as const)),
  ];
}

function deltaFacts(delta: DeltaInspection): Facts {
  return [
    ['kind', delta.unpackedBytes === null ? 'delta' : 'delta, compressed by zstd'],
    ...(delta.unpackedBytes === null ? [] : ([['unpacked', exactBytes(delta.unpackedBytes)]] as const)),
    ['target', exactBytes(delta.targetBytes)],
    ['expansion', `${delta.expansion.toFixed(delta.expansion < 100 ? 1 : 0)} times`],
    ['copied', `${exactBytes(delta.copiedBytes)} by ${count(delta.copyCommands, 'copy', 'copies')}`],
    ['literal', `${exactBytes(delta.literalBytes)} in ${count(delta.literalCommands, 'literal')}`],
    ['longest literal', exactBytes(delta.longestLiteralBytes)],
    ['base', `at least ${exactBytes(delta.baseMinBytes)}`],
  ];
}

function signatureFacts(signature: SignatureInspection): Facts {
  return [
    ['kind', 'signature'],
    ['hashes', `${signature.rollingHash} and ${signature.strongHash}, of which ${signature.strongBytes} bytes`],
    ['block size', exactBytes(signature.blockBytes)],
    ['blocks', String(signature.blocks)],
    ['of a file of', `${signature.fileMinBytes} to ${signature.fileMaxBytes} bytes`],
  ];
}

function tableOf(event: InspectionEvent, layout: Layout): string[] {
  if (event.kind === 'meta' && event.images.length > 0) return table(IMAGE_COLUMNS, imageRows(event), layout);
  if (event.kind === 'index' && event.series.length > 0) return table(SERIES_COLUMNS, seriesRows(event), layout);
  return [];
}

const IMAGE_COLUMNS: readonly Column[] = [
  { title: 'IMAGE', align: 'left', shrinks: true },
  { title: 'SIZE', align: 'right' },
  { title: 'DELTAS', align: 'right' },
  { title: 'SIZE', align: 'right' },
];

function imageRows({ images }: MetaInspection): string[][] {
  return images.map(({ filename, sizeBytes, deltas }) => [
    printable(filename),
    formatBytes(sizeBytes),
    String(deltas.length),
    formatBytes(deltas.reduce((sum, delta) => sum + delta.sizeBytes, 0)),
  ]);
}

const SERIES_COLUMNS: readonly Column[] = [
  { title: 'SERIES', align: 'left', shrinks: true },
  { title: 'IMAGES', align: 'right' },
  { title: 'NEWEST', align: 'left' },
];

function seriesRows({ series }: IndexInspection): string[][] {
  return series.map(({ name, images, newest }) => [printable(name), String(images), newest ?? '-']);
}

function table(columns: readonly Column[], rows: readonly (readonly string[])[], { width, palette }: Layout): string[] {
  const [titles = '', ...lines] = renderTable(columns, rows, width);
  return ['', palette.heading(titles), ...lines];
}

/** `1.5 GiB (1572864000 bytes)`, or below one KiB just the bytes. */
function exactBytes(bytes: number): string {
  return bytes < 1000 ? `${bytes} bytes` : `${formatBytes(bytes)} (${bytes} bytes)`;
}
