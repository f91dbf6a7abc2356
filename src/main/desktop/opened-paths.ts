// What a start was asked to open: the files and folders among a program's arguments (*open with Lathe*, a second start).
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

const known = /\.(onnx|gguf)$/i;

/** `argv` as the program got it; a packaged program has no script among its first arguments. */
export function openedPaths(argv: readonly string[], folder: string, isPackaged: boolean): string[] {
  return argv
    .slice(isPackaged ? 1 : 2)
    .filter((argument) => argument !== '' && !argument.startsWith('-'))
    .map((argument) => resolve(folder, argument))
    .filter((path) => existsSync(path) && (known.test(path) || statSync(path).isDirectory()));
}
