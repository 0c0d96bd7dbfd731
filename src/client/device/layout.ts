/**
 * Which of a device's images are in use: file names in the device's directory, null for none. A name says what is
 * meant, whether or not that file is there.
 */
export interface Pointers {
  readonly current: string | null;
  /** What was current before it. */
  readonly previous: string | null;
}

export type PointerName = keyof Pointers;

/** How far an update is; the phases are those that Puavo's own client writes. */
export interface UpdateStage {
  readonly phase:
    | 'starting'
    | 'checksums_fetch'
    | 'rdiff_fetch'
    | 'rdiff_checksum'
    | 'image_patch'
    | 'image_download'
    | 'image_checksum'
    | 'finished'
    | 'uptodate'
    | 'error'
    | 'interrupted';
  /** The file name of the image that is wanted; of the current one until that is known. */
  readonly image: string;
  /** Of the phase. */
  readonly percent: number;
}

/**
 * How a device's directory says which image is current, and what others who know that directory expect of its writer.
 * One instance is for one directory.
 */
export interface Layout {
  readonly name: 'plain' | 'puavo';
  /** Whether the pointers are hard links, which an image takes disk for as long as they are there. */
  readonly hasHardLinks: boolean;
  /** Which images go for an update that would not fit, where the policy says nothing of it. */
  readonly makeRoom: 'old' | 'previous';
  /** Takes the lock that others take who write such a directory; throws LOCKED when one of them has it. */
  lock(): Promise<LayoutLock>;
  /** Throws CONFIG where the file system cannot do what the layout needs, told before anything is fetched. */
  check(scratchDir: string): Promise<void>;
  /** Throws CONFIG when a pointer is not what this layout makes. */
  read(): Promise<Pointers>;
  /**
   * Lets a pointer lead to an image, or removes it (null). Done at once for whoever reads it, and durable when this
   * resolves.
   */
  point(pointer: PointerName, fileName: string | null): Promise<void>;
  /** Brings what goes with the pointers in line with them; may be done again at any time. */
  settle(pointers: Pointers): Promise<void>;
  /** The file that keeps this device from being updated, where it is there. */
  disabledBy(): Promise<string | null>;
  /** The file name of the image that the device runs from, as far as it says so. */
  booted(): Promise<string | null>;
  /** Whether somebody else needs an image of the directory. */
  isProtected(fileName: string): Promise<boolean>;
  /** What has to succeed, as a shell command like a hook, before an image becomes current. */
  readonly preActivate: string | null;
  /** Tells others how far the update is. */
  tell(stage: UpdateStage): Promise<void>;
}

/** A lock of {@link Layout.lock}. */
export interface LayoutLock {
  /** Fails with LOCKED when it is no longer held. */
  assertHeld(): void;
  release(): Promise<void>;
}
