// CSV: one sample a row, numbers in columns; the answer in a column of its own.
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { Refused, refuse } from '../../../contract/words/refusal';
import type { SeenFile } from '../../tasks';
import { ByteStream, mostSamples, mostValuesPerSample, seeFile } from '../bytes';
import { AnswerColumn, shown } from './rows';
import type { Source, SourceRequest } from './source';

/** One row; longer ones are not tables. */
const longestRow = 64 * 2 ** 20;

/** Rows of a CSV in order. Refuses quotes that never close and rows of another width. */
export async function* csvRows(file: SeenFile): AsyncGenerator<string[]> {
  const stream = await ByteStream.open(file);
  const pieces = async function* () {
    for (;;) {
      const piece = await stream.upTo(1 << 16);
      if (piece.byteLength === 0) return;
      yield Buffer.from(piece);
    }
  };
  const source = Readable.from(pieces());
  const parser = source.pipe(
    parse({ bom: true, skip_empty_lines: true, trim: true, relax_column_count: false, max_record_size: longestRow }),
  );
  source.on('error', (error) => parser.destroy(error));
  try {
    for await (const row of parser) yield row as string[];
  } catch (error) {
    if (error instanceof Refused) throw error;
    if (!(error instanceof CsvError)) throw error;
    refuse('bad-dataset', `${basename(file.path)} is not a table: ${error.message}.`);
  } finally {
    source.destroy();
    await stream.close();
  }
}

const answerNames = ['label', 'class', 'class_index', 'target', 'y'];

export async function openCsv(request: SourceRequest): Promise<Source> {
  const file = await seeFile(request.path);
  const name = basename(request.path);
  const notes: string[] = [];

  let hasHeader = false;
  let columns: string[] = [];
  let answerAt = -1;
  let samples = 0;
  let answers: AnswerColumn | null = null;
  for await (const row of csvRows(file)) {
    if (columns.length === 0) {
      hasHeader = row.some((cell) => cell !== '' && Number.isNaN(Number(cell)));
      columns = hasHeader ? row : row.map((_, i) => `${i}`);
      answerAt = findAnswer(columns, request, name, hasHeader, notes);
      if (answerAt >= 0 && request.task !== 'none') answers = new AnswerColumn(name, request.task, request.classNames);
      if (hasHeader) continue;
    }
    if (++samples > mostSamples) refuse('bad-dataset', `${name} has more rows than are read here.`);
    answers?.add(row[answerAt]!);
  }
  const features = columns.length - (answerAt >= 0 ? 1 : 0);
  if (samples === 0) refuse('bad-dataset', `${name} has no rows.`);
  if (features === 0) refuse('bad-dataset', `${name} has no column besides the answers.`);
  if (features > mostValuesPerSample) refuse('bad-dataset', `${name} has more columns than are read here.`);
  if (!hasHeader) notes.push(`${name} has no header row; all its columns are features.`);

  return {
    format: 'csv',
    files: [file],
    samples,
    shape: { kind: 'values', dims: [features] },
    dtype: 'float64',
    labels: answers ? answers.finish() : null,
    notes,
    async *read(from) {
      let i = hasHeader ? -1 : 0;
      for await (const row of csvRows(file)) {
        const at = i++;
        if (at < from || at < 0) continue;
        const data = new Float64Array(features);
        let to = 0;
        for (let column = 0; column < row.length; column++) {
          if (column === answerAt) continue;
          const value = row[column] === '' ? Number.NaN : Number(row[column]);
          if (Number.isNaN(value)) {
            const cell = shown(row[column]!);
            refuse(
              'bad-dataset',
              `${name}, row ${at + 1}, column "${shown(columns[column]!)}": "${cell}" is no number.`,
            );
          }
          data[to++] = value;
        }
        yield { kind: 'values', dims: [features], data };
      }
    },
  };
}

function findAnswer(
  columns: string[],
  request: SourceRequest,
  name: string,
  hasHeader: boolean,
  notes: string[],
): number {
  if (request.label !== null) {
    const found = columns.indexOf(request.label);
    if (found < 0)
      refuse('bad-dataset', `${name} has no column "${request.label}".`, `It has ${shown(columns.join(', '))}.`);
    return found;
  }
  if (!hasHeader) return -1;
  const found = columns.findIndex((column) => answerNames.includes(column.toLowerCase()));
  if (found >= 0 && columns[found] !== 'label')
    notes.push(`The column "${columns[found]}" of ${name} holds the answers.`);
  return found;
}
