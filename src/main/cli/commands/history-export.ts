// `lathe history export`: all runs as CSV.
import { rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type CommandSpec, named } from '../command';

export const historyExport: CommandSpec = {
  name: 'history export',
  help: 'all runs as CSV',
  options: [{ flags: '--csv <file>', help: 'the file to write', parse: named, required: true }],
  async run(session, _args, { csv }) {
    const text = await (await session.client()).runs.csv();
    const path = resolve(String(csv));
    const partial = `${path}.partial-${process.pid}`;
    try {
      await writeFile(partial, text, { flush: true });
      await rename(partial, path);
    } finally {
      await rm(partial, { force: true });
    }
    return { document: { csv: { path, bytes: Buffer.byteLength(text) } }, text: path };
  },
};
