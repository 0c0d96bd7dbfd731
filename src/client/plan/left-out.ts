import type { LeftOut, LeftOutReason } from '../../events.js';
import type { MetaDiff } from '../../metadata/meta.js';
import { fileNameOf } from '../hop.js';
import { deltaFault, formsOf, hasMirrorsBytes, imageFault, type UpdateGraph } from './graph.js';
import type { UpdatePath } from './path.js';

/** The first of what was left out, and how much more there is. */
export interface LeftOutList {
  readonly entries: readonly LeftOut[];
  readonly more: number;
}

const MAX_ENTRIES = 10;
/** What says most first. */
const ORDER: readonly LeftOutReason['kind'][] = [
  'needs-space',
  'failed',
  'other-bytes',
  'whole-images-off',
  'delta-share',
  'no-base',
];

/**
 * What a person may miss in a plan: `tooLarge` paths, images on the device that are not the mirror's, the whole image, and
 * deltas that lead to the wanted version.
 */
export function listLeftOut(graph: UpdateGraph, tooLarge: readonly UpdatePath[]): LeftOutList {
  const { wanted, device, images } = graph;
  const all: LeftOut[] = [
    ...tooLarge.map((path) => needsSpace(path, device.freeBytes)),
    ...device.present
      .filter((image) => !hasMirrorsBytes(image, images.get(image.version)))
      .map(({ filename }) => ({ filenames: [filename], reason: { kind: 'other-bytes' } as const })),
    ...leftOutFor(wanted.filename, imageFault(wanted, graph)),
    ...wanted.diffs.flatMap((delta) => formsLeftOut(delta, graph)),
  ];
  all.sort((a, b) => ORDER.indexOf(a.reason.kind) - ORDER.indexOf(b.reason.kind) || compareFirstNames(a, b));
  return { entries: all.slice(0, MAX_ENTRIES), more: Math.max(0, all.length - MAX_ENTRIES) };
}

function needsSpace({ hops, diskBytes }: UpdatePath, freeBytes: number): LeftOut {
  const filenames = hops.map(({ hop }) => fileNameOf(hop));
  return { filenames, reason: { kind: 'needs-space', neededBytes: diskBytes, freeBytes } };
}

/** Of a delta that is a way in one form only the failures of the other are told; of one that is none, its smallest form. */
function formsLeftOut(delta: MetaDiff, graph: UpdateGraph): LeftOut[] {
  const faults = formsOf(delta).map((form) => ({ form, reason: deltaFault(delta, form, graph.wanted, graph) }));
  const isWay = faults.some(({ reason }) => reason === null);
  return faults
    .filter(({ reason }, index) => reason?.kind === 'failed' || (!isWay && index === faults.length - 1))
    .flatMap(({ form, reason }) => leftOutFor(form.filename, reason));
}

function leftOutFor(filename: string, reason: LeftOutReason | null): LeftOut[] {
  return reason === null ? [] : [{ filenames: [filename], reason }];
}

function compareFirstNames(a: LeftOut, b: LeftOut): number {
  const [name = '', other = ''] = [a.filenames[0], b.filenames[0]];
  return name === other ? 0 : name < other ? -1 : 1;
}
