// What was dropped or chosen, flattened to files with their paths: folders are walked, order is by path.
import type { UploadSource } from './upload';

export interface Dropped {
  name: string;
  /** The file that names the whole: the model where there is one. */
  main: UploadSource;
  sources: UploadSource[];
}

async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  // A reader hands out at most a hundred entries at a time.
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return all;
    all.push(...batch);
  }
}

async function walk(entry: FileSystemEntry, sources: UploadSource[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    sources.push({ path: entry.fullPath.replace(/^\//, ''), file });
    return;
  }
  for (const child of await entriesOf(entry as FileSystemDirectoryEntry)) await walk(child, sources);
}

/** Must be called while the drop event is handled; the walk itself may take its time. */
export function readDrop(transfer: DataTransfer): Promise<Dropped | null> {
  const entries = [...transfer.items].flatMap((item) => {
    const entry = item.kind === 'file' ? item.webkitGetAsEntry() : null;
    return entry ? [entry] : [];
  });
  const files = [...transfer.files];
  return (async () => {
    const sources: UploadSource[] = [];
    for (const entry of entries) await walk(entry, sources);
    if (sources.length === 0) for (const file of files) sources.push({ path: file.name, file });
    return named(sources);
  })();
}

/** Files from a file input; a chosen folder brings its relative paths. */
export function readChosen(files: Iterable<File>): Dropped | null {
  return named([...files].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
}

function named(sources: UploadSource[]): Dropped | null {
  sources.sort((one, other) => one.path.localeCompare(other.path));
  const main = sources.find((source) => /\.(onnx|gguf)$/i.test(source.path)) ?? sources[0];
  if (!main) return null;
  const folder = main.path.includes('/') ? main.path.split('/')[0] : undefined;
  return { name: folder ?? main.file.name, main, sources };
}
