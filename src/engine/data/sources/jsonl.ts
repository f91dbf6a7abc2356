// JSON lines: one object a line, the sample a (nested) list of numbers in one field, the answer in another.
import { basename } from 'node:path';
import { refuse } from '../../../contract/words/refusal';
import type { SeenFile } from '../../tasks';
import { ByteStream, mostSamples, mostValuesPerSample, seeFile } from '../bytes';
import { AnswerColumn, shown } from './rows';
import type { Source, SourceRequest } from './source';

const longestLine = 64 * 2 ** 20;
const deepestList = 16;

export async function openJsonl(request: SourceRequest): Promise<Source> {
  const file = await seeFile(request.path);
  const name = basename(request.path);
  const field = request.key ?? 'input';
  const answerField = request.label ?? 'label';
  const answers = request.task === 'none' ? null : new AnswerColumn(name, request.task, request.classNames);

  let samples = 0;
  let labelled = 0;
  let dims: number[] | null = null;
  for await (const line of jsonLines(file, name)) {
    const value = valuesOf(line, field, name, samples);
    dims ??= value.dims;
    if (value.dims.join() !== dims.join()) {
      refuse(
        'bad-dataset',
        `${name}, line ${samples + 1} has the shape ${value.dims.join('×')}; those before have ${dims.join('×')}.`,
      );
    }
    const answer = line[answerField];
    if (typeof answer === 'number' || typeof answer === 'string') {
      labelled++;
      answers?.add(String(answer));
    }
    if (++samples > mostSamples) refuse('bad-dataset', `${name} has more lines than are read here.`);
  }
  if (!dims) refuse('bad-dataset', `${name} has no lines.`);
  if (request.label !== null && labelled === 0) refuse('bad-dataset', `${name} has no field "${request.label}".`);
  if (labelled > 0 && labelled < samples) {
    refuse('bad-dataset', `${name}: ${samples - labelled} of ${samples} lines have no "${answerField}".`);
  }
  const shape = { kind: 'values', dims } as const;
  return {
    format: 'jsonl',
    files: [file],
    samples,
    shape,
    dtype: 'float64',
    labels: answers && labelled > 0 ? answers.finish() : null,
    notes: [],
    async *read(from) {
      let i = 0;
      for await (const line of jsonLines(file, name)) {
        if (i++ < from) continue;
        yield { kind: 'values', ...valuesOf(line, field, name, i - 1) };
      }
    },
  };
}

async function* jsonLines(file: SeenFile, name: string): AsyncGenerator<Record<string, unknown>> {
  const stream = await ByteStream.open(file);
  let rest = Buffer.alloc(0);
  let number = 0;
  const parse = (bytes: Buffer): Record<string, unknown> | null => {
    number++;
    const text = bytes.toString('utf8').trim();
    if (text === '') return null;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      refuse('bad-dataset', `${name}, line ${number} is not JSON: "${shown(text)}".`);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      refuse('bad-dataset', `${name}, line ${number} is not an object.`);
    }
    return value as Record<string, unknown>;
  };
  try {
    for (;;) {
      const piece = await stream.upTo(1 << 16);
      if (piece.byteLength === 0) break;
      rest = rest.byteLength === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece]);
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        const object = parse(rest.subarray(0, end));
        rest = rest.subarray(end + 1);
        if (object) yield object;
      }
      if (rest.byteLength > longestLine) refuse('bad-dataset', `${name}, line ${number + 1} is longer than 64 MB.`);
    }
    const last = parse(rest);
    if (last) yield last;
  } finally {
    await stream.close();
  }
}

function valuesOf(line: Record<string, unknown>, field: string, name: string, index: number) {
  if (!Object.hasOwn(line, field)) {
    refuse(
      'bad-dataset',
      `${name}, line ${index + 1} has no "${field}".`,
      `It has ${shown(Object.keys(line).join(', '))}.`,
    );
  }
  const dims: number[] = [];
  for (let inner: unknown = line[field]; Array.isArray(inner); inner = inner[0]) {
    dims.push(inner.length);
    if (dims.length > deepestList) refuse('bad-dataset', `${name}, line ${index + 1}: lists in lists, deeper than 16.`);
  }
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (count === 0 || count > mostValuesPerSample)
    refuse('bad-dataset', `${name}, line ${index + 1}: "${field}" holds ${count} values.`);
  const data = new Float64Array(count);
  let at = 0;
  const walk = (value: unknown, depth: number): void => {
    if (depth < dims.length) {
      if (!Array.isArray(value) || value.length !== dims[depth])
        refuse('bad-dataset', `${name}, line ${index + 1}: "${field}" is ragged.`);
      for (const inner of value) walk(inner, depth + 1);
      return;
    }
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      refuse(
        'bad-dataset',
        `${name}, line ${index + 1}: "${field}" holds "${shown(String(value))}", which is no number.`,
      );
    }
    data[at++] = value;
  };
  walk(line[field], 0);
  return { dims: dims.length === 0 ? [1] : dims, data };
}
