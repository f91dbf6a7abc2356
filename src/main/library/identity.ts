// Identity: what a model's content is called, and how a file is recognised before and after its content is known.
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename, dirname, relative, sep } from 'node:path';
import type { FileEntry } from '../../contract/words/model';
import type { KnownFile } from '../history/models';

/** As much of a file's beginning as is hashed to recognise it at once. */
const headerBytes = 64 * 1024;

/** The SHA-256 of one file is the file's; of several it is that of the lines `sha256 bytes relative/path\n`, sorted by path. */
export function identityOf(entries: readonly FileEntry[]): string {
  if (entries.length === 1) return entries[0]!.sha256;
  const hash = createHash('sha256');
  for (const { sha256, bytes, path } of sortByPath(entries)) hash.update(`${sha256} ${bytes} ${path}\n`);
  return hash.digest('hex');
}

function sortByPath<Entry extends { readonly path: string }>(entries: readonly Entry[]): Entry[] {
  return [...entries].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** The file's name inside the model's folder; a link that led elsewhere keeps its last name. */
export function nameInside(folder: string, file: string): string {
  const inside = relative(folder, file).split(sep).join('/');
  return inside.startsWith('..') || inside === '' ? basename(file) : inside;
}

export function folderOf(files: readonly { readonly path: string }[]): string {
  return dirname(files[0]!.path);
}

/** A file as it is now; throws when it is not there. */
export function look(path: string): KnownFile {
  const { size, mtimeMs } = statSync(path);
  return { path, bytes: size, mtimeMs, header: headerOf(path) };
}

/** One word for all files as they were seen. */
export function headerKey(files: readonly KnownFile[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file.path} ${file.bytes} ${file.mtimeMs} ${file.header}\n`);
  return hash.digest('hex');
}

/** `gone` is worse than `different` (size or first bytes), which is worse than `touched` (only the time). */
export function compare(known: KnownFile): 'same' | 'touched' | 'different' | 'gone' {
  let now: KnownFile;
  try {
    now = look(known.path);
  } catch {
    return 'gone';
  }
  if (now.bytes !== known.bytes || now.header !== known.header) return 'different';
  return now.mtimeMs === known.mtimeMs ? 'same' : 'touched';
}

function headerOf(path: string): string {
  const buffer = Buffer.alloc(headerBytes);
  const file = openSync(path, 'r');
  try {
    const read = readSync(file, buffer, 0, headerBytes, 0);
    return createHash('sha256').update(buffer.subarray(0, read)).digest('hex');
  } finally {
    closeSync(file);
  }
}
