// How answers look in a terminal: aligned tables, sizes and shares in words, written out whole before the process ends.

/** Resolves when everything has left this process; a pipe may be slower than `exit`. */
export function print(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((done) => stream.write(text.endsWith('\n') ? text : `${text}\n`, () => done()));
}

/** Columns padded to their widest cell; those whose head ends in a space are numbers and lean right. */
export function table(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [heads.map((head) => head.trim()), ...rows.map((row) => row.map(String))];
  const widths = heads.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const isNumber = heads.map((head) => head.endsWith(' '));
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          isNumber[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const prefixes = ['B', 'kB', 'MB', 'GB', 'TB'];

/** 1 MB = 1,000,000 B; three figures. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let prefix = 0;
  while (value >= 999.5 && prefix < prefixes.length - 1) {
    value /= 1000;
    prefix += 1;
  }
  return `${prefix === 0 ? value : value.toPrecision(3)} ${prefixes[prefix]}`;
}

export const countText = (value: number): string => value.toLocaleString('en');

/** A measured value to four figures; a dash where there is none. */
export const numberText = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : Number(value.toPrecision(4)).toString().replace('-', '−');

export const durationText = (seconds: number): string =>
  seconds < 100 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds / 60)} min`;

export const shapeText = (shape: readonly (number | string | null)[]): string =>
  shape.length === 0 ? 'scalar' : shape.map((size) => size ?? '?').join('×');
