// Answers from a file of their own: an IDX or NumPy array, a member of an .npz, or a column of a CSV.
import { basename } from 'node:path';
import { refuse } from '../../contract/words/refusal';
import { seeFile } from './bytes';
import { arrayLabels } from './sources/array';
import { csvRows } from './sources/csv';
import { readIdxHeader } from './sources/idx';
import { readNpyHeader } from './sources/npy';
import { readNpzHeader } from './sources/npz';
import { AnswerColumn } from './sources/rows';
import type { Labels } from './sources/source';
import { locate } from './spec';

type Task = 'classification' | 'regression';

export async function readLabels(
  path: string,
  task: Task,
  classNames: readonly string[] | null,
  place: string,
): Promise<Labels> {
  const { format, path: file, key } = await locate(path, undefined, place);
  switch (format) {
    case 'idx':
      return arrayLabels(await readIdxHeader(file), task);
    case 'npy':
      return arrayLabels(await readNpyHeader(file), task);
    case 'npz':
      return arrayLabels(await readNpzHeader(file, key), task);
    case 'csv':
      return columnOf(file, task, classNames);
    case 'image-folder':
    case 'cifar10-binary':
    case 'jsonl':
    case 'token-ids':
      return refuse(
        'bad-dataset',
        `${basename(file)} cannot hold labels.`,
        'Labels are an IDX, NumPy or CSV file.',
        place,
      );
    default:
      return format satisfies never;
  }
}

/** The only column, or the one called label or class_index. */
async function columnOf(path: string, task: Task, classNames: readonly string[] | null): Promise<Labels> {
  const file = await seeFile(path);
  const name = basename(path);
  const answers = new AnswerColumn(name, task, classNames);
  let at = -1;
  for await (const row of csvRows(file)) {
    if (at < 0) {
      at =
        row.length === 1
          ? 0
          : row.findIndex((cell) => ['label', 'class_index', 'class', 'target'].includes(cell.toLowerCase()));
      if (at < 0) refuse('bad-dataset', `${name} has no column called label.`, `It has ${row.slice(0, 8).join(', ')}.`);
      const isHeader = row.length > 1 || Number.isNaN(Number(row[0]));
      if (isHeader) continue;
    }
    answers.add(row[at]!);
  }
  return { ...answers.finish(), files: [file] };
}
