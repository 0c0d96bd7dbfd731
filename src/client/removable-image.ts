import type { ImageVersion } from '../metadata/brands.js';

/** An image of this device that may go where an update would not fit otherwise. */
export interface RemovableImage {
  readonly filename: string;
  readonly version: ImageVersion;
  /** Bytes of disk that are free when it is gone. */
  readonly freedBytes: number;
  /** Whether it is the one that the device can go back to. */
  readonly isPrevious: boolean;
}
