import type { EntryLookup } from './entry-lookup.js';
import type { Fragments } from './fragments.js';
import type { MetadataBlocks } from './metadata-blocks.js';
import type { BlockSource } from './stored-block.js';
import type { Superblock } from './superblock.js';

/** An opened image: its superblock and the readers of its parts. */
export interface Volume {
  readonly source: BlockSource;
  readonly superblock: Superblock;
  readonly blocks: MetadataBlocks;
  readonly entries: EntryLookup;
  readonly fragments: Fragments;
}
