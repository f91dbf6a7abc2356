// Where in a JSON text a place such as `steps[0].params.bits` stands, so that a refusal can point at it.

type Segment = string | number;

const segmentsOf = (place: string): Segment[] =>
  [...place.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/g)].map(([, index, quoted, key]) =>
    index !== undefined ? Number(index) : quoted !== undefined ? (JSON.parse(quoted) as string) : (key ?? ''),
  );

/** Walks a text that is JSON; where it is not, or has no such place, the answer is null. */
class Walk {
  at = 0;
  constructor(readonly text: string) {}

  /** The next sign after white space. */
  sign(): string {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
    return this.text[this.at] ?? '';
  }

  take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }

  /** Members of the object or elements of the array that begins here, each before its value is walked over. */
  *members(): Generator<Segment> {
    const isObject = this.sign() === '{';
    this.at++;
    for (let index = 0; this.sign() !== '' && !/[\]}]/.test(this.sign()); index++) {
      if (isObject) {
        const key = this.take(/"(?:[^"\\]|\\.)*"/y);
        if (key === '' || this.sign() !== ':') return;
        this.at++;
        yield JSON.parse(key) as string;
      } else yield index;
      if (this.sign() === ',') this.at++;
    }
    this.at++;
  }

  skip(): void {
    if (/[[{]/.test(this.sign())) for (const _ of this.members()) this.skip();
    else if (this.sign() === '"') this.take(/"(?:[^"\\]|\\.)*"/y);
    else this.take(/[^,\]}\s]*/y);
  }

  find([first, ...rest]: readonly Segment[]): [number, number] | null {
    if (first === undefined) {
      const start = this.sign() === '' ? this.text.length : this.at;
      this.skip();
      return [start, this.at];
    }
    if (!/[[{]/.test(this.sign())) return null;
    for (const member of this.members()) {
      if (member === first) return this.find(rest);
      this.skip();
    }
    return null;
  }
}

/** Start and end of the value at a place. */
export const rangeOf = (text: string, place: string): [number, number] | null => new Walk(text).find(segmentsOf(place));

/** *line 5, column 3*, from 1. */
export function lineAndColumn(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
