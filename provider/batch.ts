interface Question<T> {
  readonly id: string;
  readonly answer: (found: T | undefined) => void;
  readonly fail: (error: unknown) => void;
}

/** Asks for many things in one call: what is asked for within ten milliseconds goes together. */
export class Batch<T> {
  readonly #find: (ids: string[]) => Promise<Map<string | undefined, T>>;
  #questions: Question<T>[] = [];

  constructor(find: (ids: string[]) => Promise<Map<string | undefined, T>>) {
    this.#find = find;
  }

  /** Undefined when there is none with this id. */
  find(id: string): Promise<T | undefined> {
    return new Promise((answer, fail) => {
      this.#questions.push({ id, answer, fail });
      if (this.#questions.length === 1) setTimeout(() => void this.#ask(), 10);
    });
  }

  async #ask(): Promise<void> {
    const questions = this.#questions;
    this.#questions = [];
    // A filter takes 200 values.
    for (let start = 0; start < questions.length; start += 200) {
      const asked = questions.slice(start, start + 200);
      try {
        const found = await this.#find([...new Set(asked.map(({ id }) => id))]);
        for (const { id, answer } of asked) answer(found.get(id));
      } catch (error) {
        for (const { fail } of asked) fail(error);
      }
    }
  }
}
