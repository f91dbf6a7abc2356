// Bundles as zip files: the same bytes every time, and unpacked without trusting a name or a size in them.
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Zip } from 'fflate';
import type { FileEntry } from '../contract/words/model';
import { refuse } from '../contract/words/refusal';
import { byPath, isContained, refuseTaken, syncFile } from './bundle-files';
import { memberOf, packingOf } from './bundle-pack';
import { ZipFile } from './data/zip';

/** Sizes above this need zip64, which many unpackers on small devices do not read. */
const largestZip = 2 ** 32 - 2 ** 20;

const isText = (path: string) => /\.(json|md|txt|mjs|py)$/i.test(path);

/** Zips a finished bundle and answers the zip's bytes. Members are sorted, without dates or owners: equal bundles give equal bytes. */
export async function zipBundle(
  folder: string,
  files: readonly FileEntry[],
  out: string,
  signal?: AbortSignal,
): Promise<number> {
  await refuseTaken(out);
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  if (total > largestZip)
    refuse('unsupported', 'A zip holds at most 4 GB, and this bundle is larger.', 'Export the folder.');
  const pending = join(dirname(out), `.${basename(out)}.lathe-part-${process.pid}`);
  await rm(pending, { force: true });
  const handle = await open(pending, 'wx');
  try {
    const pieces: Uint8Array[] = [];
    let failure: Error | null = null;
    const zip = new Zip((error, piece) => {
      if (error) failure = error;
      else pieces.push(piece);
    });
    const flush = async () => {
      if (failure) throw failure;
      for (const piece of pieces.splice(0)) await handle.writeFile(piece);
    };
    for (const file of [...files].sort(byPath)) {
      const packing = isText(file.path) ? 'text' : await packingOf(join(folder, file.path), file.bytes);
      const member = memberOf(file.path, packing);
      // The earliest date a zip can hold, in local time as its reader will show it.
      member.mtime = new Date(1980, 0, 1);
      member.os = 3;
      member.attrs = (0o100644 << 16) >>> 0;
      zip.add(member);
      for await (const piece of createReadStream(join(folder, file.path), { highWaterMark: 1 << 20 })) {
        signal?.throwIfAborted();
        member.push(piece);
        await flush();
      }
      member.push(new Uint8Array(0), true);
      await flush();
    }
    zip.end();
    await flush();
    await handle.sync();
    const { size } = await handle.stat();
    await handle.close();
    await rename(pending, out);
    await syncFile(dirname(out));
    return size;
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(pending, { force: true });
    throw error;
  }
}

/** Unpacks into a folder that exists. Refuses links, names that lead out, and more bytes than were announced. */
export async function unzipBundle(path: string, folder: string): Promise<void> {
  const zip = await ZipFile.open(path);
  try {
    const members = zip.members.filter((member) => !member.name.endsWith('/'));
    const total = members.reduce((sum, member) => sum + member.bytes, 0);
    const { bavail, bsize } = await statfs(folder);
    if (total > bavail * bsize * 0.9)
      refuse('disk-full', `${basename(path)} unpacks to ${total} bytes, more than the disk has free.`);
    for (const member of members) {
      if (!isContained(member.name))
        refuse('bad-bundle', `${basename(path)} holds "${member.name.slice(0, 80)}", which leads out of the bundle.`);
      if ((member.mode & 0o170000) === 0o120000)
        refuse('bad-bundle', `${basename(path)} holds a link, ${member.name}.`);
      await unpack(zip, member.name, member.bytes, join(folder, member.name));
    }
  } finally {
    await zip.close();
  }
}

async function unpack(zip: ZipFile, name: string, bytes: number, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const stream = await zip.stream(name);
  const handle = await open(to, 'wx');
  try {
    for (let left = bytes; left > 0; ) {
      const piece = await stream.read(Math.min(left, 1 << 20));
      await handle.writeFile(piece);
      left -= piece.byteLength;
    }
    if ((await stream.upTo(1)).byteLength > 0) refuse('bad-bundle', `${name} holds more than it announces.`);
  } finally {
    await handle.close();
    await stream.close();
  }
}
