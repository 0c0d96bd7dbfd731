/*
 * What the channels of a mirror tell, as src/events.ts has it for everything.
 */

/** The channels that a mirror remembers, by the order of their names. */
export interface ChannelListEvent {
  readonly type: 'channel-list';
  readonly mirror: string;
  readonly channels: readonly ChannelEntry[];
}

export interface ChannelEntry {
  readonly name: string;
  readonly series: string;
  /** 14 digits. */
  readonly version: string;
  /** Of its file in the mirror: as it was set, not there, or with something else in it. */
  readonly file: 'good' | 'missing' | 'changed';
}

/** The end of `channel set` or `channel remove`. */
export interface ChannelSummaryEvent {
  readonly type: 'channel-summary';
  readonly action: 'set' | 'remove';
  readonly mirror: string;
  readonly name: string;
  /** What the channel names now; null where it is gone. */
  readonly series: string | null;
  readonly version: string | null;
  /** The version that it named before; null where it was not there. */
  readonly before: string | null;
  /** The paths of the channels and of the metadata that were written; none when all was as it is to be. */
  readonly written: readonly string[];
  readonly durationMs: number;
}
