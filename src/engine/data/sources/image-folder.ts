// A folder of pictures: one folder a class, or pictures beside a labels.csv, or pictures alone. Decoded by sharp, a few ahead.
import { readdir } from 'node:fs/promises';
import { basename, extname, isAbsolute, join } from 'node:path';
import { refuse } from '../../../contract/words/refusal';
import type { SeenFile } from '../../tasks';
import { mostSamples, seeFile } from '../bytes';
import { csvRows } from './csv';
import { AnswerColumn } from './rows';
import type { Labels, Picture, Source, SourceRequest } from './source';

/** SVG is not among them: it is a program, not a picture. */
export const pictureExtensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif']);

/** 100 megapixels, 300 MB decoded: larger ones are maps or attacks. */
const mostPixels = 100_000_000;
const decodedAhead = 4;

interface Listed {
  /** Relative to the folder. */
  readonly names: readonly string[];
  readonly labels: Labels | null;
  readonly notes: readonly string[];
}

export async function openImageFolder(request: SourceRequest): Promise<Source> {
  const folder = request.path;
  const { names, labels, notes } = await list(request);
  if (names.length === 0)
    refuse('bad-dataset', `${basename(folder)} has no pictures.`, 'JPEG, PNG, WebP, TIFF, GIF and AVIF are read.');
  if (names.length > mostSamples) refuse('bad-dataset', `${basename(folder)} has more pictures than are read here.`);
  const files: SeenFile[] = [...(labels?.files ?? [])];
  for (const name of names) files.push(await seeFile(join(folder, name)));

  return {
    format: 'image-folder',
    files,
    samples: names.length,
    shape: { kind: 'picture', width: null, height: null, channels: null, layout: 'NCHW', bytes: true },
    dtype: 'uint8',
    labels,
    notes,
    async *read(from, colour) {
      const ahead: Promise<Picture>[] = [];
      try {
        for (let i = from; i < names.length; i++) {
          while (ahead.length < decodedAhead && i + ahead.length < names.length) {
            const next = decode(folder, names[i + ahead.length]!, colour);
            // Looked at when its turn comes; until then a failure is not unhandled.
            next.catch(() => {});
            ahead.push(next);
          }
          yield await ahead.shift()!;
        }
      } finally {
        await Promise.allSettled(ahead);
      }
    },
  };
}

async function list(request: SourceRequest): Promise<Listed> {
  const folder = request.path;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() =>
    refuse('not-found', `${folder} is not a folder that can be read.`),
  );
  const visible = entries.filter((entry) => !entry.name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
  const isPicture = (name: string) => pictureExtensions.has(extname(name).toLowerCase());
  const own = visible.filter((entry) => !entry.isDirectory() && isPicture(entry.name)).map((entry) => entry.name);
  const table =
    request.labelsFile ?? (visible.some((entry) => entry.name === 'labels.csv') ? join(folder, 'labels.csv') : null);

  if (table) return listFromTable(request, table, own);
  if (own.length > 0) return { names: own, labels: null, notes: [] };

  const folders = visible.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const perClass: string[][] = [];
  let others = 0;
  for (const name of folders) {
    const files = (await readdir(join(folder, name))).filter((file) => !file.startsWith('.')).sort();
    perClass.push(files.filter(isPicture).map((file) => join(name, file)));
    others += files.length - perClass.at(-1)!.length;
  }
  // In turn, one of each class: so that the first n pictures are a fair sample for any n.
  const names: string[] = [];
  const classes: number[] = [];
  const longest = perClass.reduce((most, files) => Math.max(most, files.length), 0);
  for (let turn = 0; turn < longest; turn++) {
    perClass.forEach((files, index) => {
      if (turn >= files.length) return;
      names.push(files[turn]!);
      classes.push(index);
    });
  }
  const labels: Labels = {
    files: [],
    count: names.length,
    classes: Int32Array.from(classes),
    numbers: null,
    names: folders,
  };
  const notes = [`The ${folders.length} folders of ${basename(folder)} are its classes, in alphabetical order.`];
  if (others > 0) notes.push(`${others} files in them are no pictures and are left out.`);
  return { names, labels, notes };
}

/** labels.csv: `file,class_index`, or a file column and a column of words. Its rows tell which pictures there are. */
async function listFromTable(request: SourceRequest, table: string, own: readonly string[]): Promise<Listed> {
  const file = await seeFile(table);
  const name = basename(table);
  const names: string[] = [];
  const answers = request.task === 'none' ? null : new AnswerColumn(name, request.task, request.classNames);
  let fileAt = -1;
  let answerAt = -1;
  for await (const row of csvRows(file)) {
    if (fileAt < 0) {
      const find = (wanted: string[]) => row.findIndex((cell) => wanted.includes(cell.toLowerCase()));
      fileAt = find(['file', 'filename', 'path', 'image']);
      answerAt = find(['class_index', 'label', 'class', 'target']);
      if (fileAt < 0 || answerAt < 0) {
        refuse(
          'bad-dataset',
          `${name} needs the columns file and class_index.`,
          `It has ${row.slice(0, 8).join(', ')}.`,
        );
      }
      continue;
    }
    const path = row[fileAt]!;
    if (path === '' || isAbsolute(path) || /^[a-z]:/i.test(path) || path.split(/[\\/]/).includes('..')) {
      refuse('bad-dataset', `${name} names "${path}", which is not inside its folder.`);
    }
    names.push(path);
    answers?.add(row[answerAt]!);
  }
  const labels = answers ? { ...answers.finish(), files: [file] } : null;
  const named = new Set(names);
  const left = own.filter((one) => !named.has(one)).length;
  return { names, labels, notes: left > 0 ? [`${left} pictures have no row in ${name} and are left out.`] : [] };
}

async function decode(folder: string, name: string, colour: 'rgb' | 'gray' | null): Promise<Picture> {
  const { default: sharp } = await import('sharp');
  try {
    // Colour profiles and the rotation tag are left alone, as the trainers' own loaders do.
    const { data, info } = await sharp(join(folder, name), {
      failOn: 'error',
      limitInputPixels: mostPixels,
      ignoreIcc: true,
    })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const pixels = colour === 'gray' ? toGray(bytes, channels) : toRgb(bytes, channels);
    return { kind: 'picture', width, height, channels: colour === 'gray' ? 1 : 3, data: pixels };
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0]!.replace(folder, '').slice(0, 200);
    return refuse('bad-dataset', `${name} cannot be decoded: ${reason}.`, 'Replace it, or take it out of the folder.');
  }
}

/** 1: gray, 2: gray and alpha, 3: RGB, 4: RGB and alpha. Alpha is dropped. */
function toRgb(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data;
  const out = new Uint8Array((data.length / channels) * 3);
  const step = channels < 3 ? 0 : 1;
  for (let from = 0, to = 0; from < data.length; from += channels, to += 3) {
    out[to] = data[from]!;
    out[to + 1] = data[from + step]!;
    out[to + 2] = data[from + 2 * step]!;
  }
  return out;
}

function toGray(data: Uint8Array, channels: number): Uint8Array {
  const out = new Uint8Array(data.length / channels);
  for (let from = 0, to = 0; from < data.length; from += channels, to++) {
    out[to] = channels < 3 ? data[from]! : luma(data[from]!, data[from + 1]!, data[from + 2]!);
  }
  return out;
}

/** ITU-R BT.601 in 16-bit fixed point, as Pillow's `convert("L")`. */
export function luma(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}
