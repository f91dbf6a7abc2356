// Evidence: numbers of the long measurements, with the machine and the commit they were taken on, under docs/evidence/.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();

/** Adds or replaces one measurement of a capability; the others in the file stay as they were taken. */
export function record(capability: string, name: string, measured: unknown): void {
  const folder = join(root, 'docs/evidence');
  const file = join(folder, `${capability}.json`);
  mkdirSync(folder, { recursive: true });
  const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { capability, measurements: {} };
  known.measurements[name] = {
    at: new Date().toISOString(),
    commit: git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', 'src') ? ' with changes' : ''),
    machine: { cpu: cpus()[0]?.model.trim(), cores: cpus().length, memoryBytes: totalmem(), node: process.version },
    measured,
  };
  writeFileSync(file, `${JSON.stringify(known, null, 2)}\n`);
  console.log(`${capability} · ${name}:`, JSON.stringify(measured));
}
