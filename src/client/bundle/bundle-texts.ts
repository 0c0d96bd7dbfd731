import { UpdateRepositoryError } from '../../errors.js';
import type { ParseText } from '../download/mirrors.js';
import type { WantedText } from '../download/text-request.js';
import type { MirrorTexts } from '../trust/metadata-files.js';

/** The small files of a mirror that a bundle carries, as {@link MirrorTexts}: what it does not carry is not there. */
export class BundleTexts implements MirrorTexts {
  readonly #texts: ReadonlyMap<string, string>;
  /** Opens messages. */
  readonly name: string;

  constructor(name: string, texts: ReadonlyMap<string, string>) {
    this.name = name;
    this.#texts = texts;
  }

  async text<T>(wanted: WantedText, parse: ParseText<T>, signal: AbortSignal): Promise<T> {
    const found = await this.textIfThere(wanted, parse, signal);
    if (found !== null) return found;
    const file = this.#fileOf(wanted);
    throw new UpdateRepositoryError('NOT_FOUND', `${file}: expected it in the bundle, found no such file`, {
      data: { file },
    });
  }

  async textIfThere<T>(wanted: WantedText, parse: ParseText<T>, signal: AbortSignal): Promise<T | null> {
    signal.throwIfAborted();
    const text = this.#texts.get(wanted.path);
    if (text === undefined) return null;
    const file = this.#fileOf(wanted);
    const sizeBytes = Buffer.byteLength(text);
    if (sizeBytes <= wanted.maxBytes) return parse(text, file);
    throw (
      wanted.tooLong?.(file) ??
      new UpdateRepositoryError('FORMAT', `${file}: expected at most ${wanted.maxBytes} bytes, found ${sizeBytes}`)
    );
  }

  #fileOf({ path }: WantedText): string {
    return `${this.name}/${path}`;
  }
}
