// Type check, folder by folder: each room sees only the libraries it may use (no Node in the renderer, no DOM in the engine).
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';

const rooms = ['src/contract', 'src/engine', 'src/main', 'src/preload', 'src/renderer', 'test'];
const tsc = createRequire(import.meta.url)
  .resolve('typescript/package.json')
  .replace('package.json', 'bin/tsc');
const wanted = process.argv.slice(2).length > 0 ? process.argv.slice(2) : rooms;
const check = (room) =>
  new Promise((done) =>
    spawn(process.execPath, [tsc, '-p', room, '--noEmit', '--pretty', 'false'], { stdio: 'inherit' }).on('exit', done),
  );
const codes = await Promise.all(wanted.map(check));
process.exit(codes.some((code) => code !== 0) ? 1 : 0);
