/** Most of a command's output that goes into one event, in characters, and its wait for more. */
const eventCharacters = 16_000;
const eventMilliseconds = 1000;
/** Most of a command's output that is recorded at all. */
const mostCharacters = 128_000;

export interface OutputPart {
  readonly output: string;
  /** Number of lines before it left out, since there was no room for them. */
  readonly omitted: number;
}

/** Writes a command's output down in parts while it comes: its beginning as far as there is room, and its last lines. */
export class OutputRecord {
  readonly #write: (part: OutputPart) => void;
  #pending: string[] = [];
  #pendingCharacters = 0;
  #room = mostCharacters;
  #omitted = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (part: OutputPart) => void) {
    this.#write = write;
  }

  add(line: string): void {
    this.#pending.push(line);
    this.#pendingCharacters += line.length + 1;
    if (this.#room <= 0) this.#dropOldest();
    else if (this.#pendingCharacters >= eventCharacters) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), eventMilliseconds);
  }

  close(): void {
    this.#flush();
  }

  #dropOldest(): void {
    while (this.#pendingCharacters > eventCharacters) {
      this.#pendingCharacters -= (this.#pending.shift()?.length ?? 0) + 1;
      this.#omitted++;
    }
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.length === 0) return;
    const part = { output: this.#pending.join("\n"), omitted: this.#omitted };
    this.#room -= this.#pendingCharacters;
    this.#pending = [];
    this.#pendingCharacters = 0;
    this.#write(part);
  }
}
