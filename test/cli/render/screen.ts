/** A control sequence (CSI, ECMA-48 section 5.4) or any other character. */
const TOKEN = new RegExp(`${'\u001b'}\\[[0-9;?]*[A-Za-z]|[^]`, 'gu');

/**
 * A small terminal: what a person would see after the text that was written to it. It knows the control sequences that
 * progress displays use and refuses all others, so that none gets out unnoticed.
 */
export class Screen {
  readonly #columns: number;
  #lines: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(columns: number) {
    this.#columns = columns;
  }

  write(text: string): void {
    for (const [token] of text.matchAll(TOKEN)) {
      if (token.length > 2) this.#control(token);
      else this.#put(token);
    }
  }

  /** The lines without trailing blanks, and without empty lines at the end. */
  get text(): string[] {
    const lines = this.#lines.map((cells) => cells.join('').trimEnd());
    while (lines.at(-1) === '') lines.pop();
    return lines;
  }

  #put(character: string): void {
    if (character === '\n') {
      this.#row += 1;
      this.#column = 0;
    } else if (character >= ' ') {
      if (this.#column === this.#columns) this.#put('\n');
      const line = this.#line();
      while (line.length < this.#column) line.push(' ');
      line[this.#column] = character;
      this.#column += 1;
    } else {
      throw new Error(`a control character: ${JSON.stringify(character)}`);
    }
  }

  #control(sequence: string): void {
    const count = Number(/\d+/.exec(sequence)?.[0] ?? '1');
    switch (sequence.at(-1)) {
      case 'A':
        this.#row -= count;
        if (this.#row < 0) throw new Error('the cursor left the screen');
        break;
      case 'G':
        this.#column = count - 1;
        break;
      case 'J':
        this.#line().splice(this.#column);
        this.#lines.splice(this.#row + 1);
        break;
      case 'K':
        this.#line().splice(sequence === '\u001b[2K' ? 0 : this.#column);
        break;
      case 'm':
        break;
      default:
        throw new Error(`an unknown control sequence: ${JSON.stringify(sequence)}`);
    }
  }

  #line(): string[] {
    while (this.#lines.length <= this.#row) this.#lines.push([]);
    return this.#lines[this.#row]!;
  }
}
