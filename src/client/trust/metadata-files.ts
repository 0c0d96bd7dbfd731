import { hasCode } from '../../errors.js';
import { type DocumentKind, MAX_BYTES, metadataPath } from '../../trust/tuf/documents.js';
import type { Mirrors, ParseText } from '../download/mirrors.js';
import type { WantedText } from '../download/text-request.js';
import { type MetadataPlace, untrusted } from './faults.js';

/** What the small files of a mirror are read from: its copies on the network, or a bundle. */
export type MirrorTexts = Pick<Mirrors, 'name' | 'text' | 'textIfThere'>;

/** Takes a metadata file, or throws FORMAT or VERIFICATION: then the next mirror is asked for it. */
export type VerifyMetadata = (text: string, place: MetadataPlace) => void;

/** A version of a role's metadata. */
export interface MetadataVersion {
  readonly role: string;
  readonly kind: DocumentKind;
  /** What the name of the file has; 0 for timestamp, whose has none. */
  readonly version: number;
}

/** The metadata files of mirrors, of which nothing is believed but what is verified. */
export class MetadataFiles {
  readonly #mirrors: MirrorTexts;
  readonly #signal: AbortSignal;

  constructor(mirrors: MirrorTexts, signal: AbortSignal) {
    this.#mirrors = mirrors;
    this.#signal = signal;
  }

  /** For messages. */
  nameOf({ role, version }: MetadataVersion): string {
    return `${this.#mirrors.name}/${metadataPath(role, version)}`;
  }

  /**
   * The text of a file that `verify` took.
   *
   * @throws UpdateRepositoryError VERIFICATION where no mirror has a file that is trusted; FORMAT, NETWORK, STORAGE, INTERRUPTED
   */
  async read(wanted: MetadataVersion, verify: VerifyMetadata): Promise<string> {
    try {
      return await this.#mirrors.text(wantedText(wanted), verified(wanted, verify), this.#signal);
    } catch (error) {
      if (!hasCode(error, 'NOT_FOUND')) throw error;
      throw untrusted('missing-metadata', this.#placeOf(wanted), {
        expected: 'the signed metadata of the mirror',
        found: 'no such file',
        hint: 'to go on without, which lets anybody forge what is installed, type --insecure',
        cause: error,
      });
    }
  }

  /** As {@link read}; null where the first mirror that answers says that there is none. */
  async readIfThere(wanted: MetadataVersion, verify: VerifyMetadata): Promise<string | null> {
    return await this.#mirrors.textIfThere(wantedText(wanted), verified(wanted, verify), this.#signal);
  }

  #placeOf(wanted: MetadataVersion): MetadataPlace {
    return { file: this.nameOf(wanted), role: wanted.role };
  }
}

function verified({ role }: MetadataVersion, verify: VerifyMetadata): ParseText<string> {
  return (text, file) => {
    verify(text, { file, role });
    return text;
  };
}

/** A file of any length that its role may have is read: whether it is the right one says its sha256, or its signature. */
function wantedText({ role, kind, version }: MetadataVersion): WantedText {
  const maxBytes = MAX_BYTES[kind];
  return {
    path: metadataPath(role, version),
    maxBytes,
    tooLong: (file) =>
      untrusted('endless-data', { file, role }, { expected: `at most ${maxBytes} bytes`, found: 'more of them' }),
  };
}
