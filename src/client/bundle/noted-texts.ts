import type { ParseText } from '../download/mirrors.js';
import type { WantedText } from '../download/text-request.js';
import type { MirrorTexts } from '../trust/metadata-files.js';

/** The small files of a mirror, of which each that was taken is noted. */
export class NotedTexts implements MirrorTexts {
  readonly #mirrors: MirrorTexts;
  /** Those that were taken, by path, in the order in which they were. */
  readonly noted = new Map<string, string>();

  constructor(mirrors: MirrorTexts) {
    this.#mirrors = mirrors;
  }

  get name(): string {
    return this.#mirrors.name;
  }

  async text<T>(wanted: WantedText, parse: ParseText<T>, signal: AbortSignal): Promise<T> {
    return await this.#mirrors.text(wanted, this.#noting(wanted, parse), signal);
  }

  async textIfThere<T>(wanted: WantedText, parse: ParseText<T>, signal: AbortSignal): Promise<T | null> {
    return await this.#mirrors.textIfThere(wanted, this.#noting(wanted, parse), signal);
  }

  #noting<T>({ path }: WantedText, parse: ParseText<T>): ParseText<T> {
    return (text, file) => {
      const parsed = parse(text, file);
      this.noted.set(path, text);
      return parsed;
    };
  }
}
