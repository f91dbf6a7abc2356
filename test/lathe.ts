// Runs the built command line as a script would, and gives back its document, exit code and time.
import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '..');

export interface Outcome {
  code: number | null;
  // biome-ignore lint/suspicious/noExplicitAny: documents differ by command; their schemas are tested beside the command.
  json: any;
  stdout: string;
  stderr: string;
  milliseconds: number;
}

/** `lathe(['inspect', file, '--json'], { workspace })`. `started` receives the process, for tests that kill it. */
export function lathe(
  args: readonly string[],
  { workspace, started, cwd }: { workspace: string; started?: (child: ChildProcess) => void; cwd?: string },
): Promise<Outcome> {
  const begin = performance.now();
  const child = spawn(process.execPath, [resolve(root, 'bin/lathe.mjs'), ...args], {
    cwd: cwd ?? root,
    env: { ...process.env, LATHE_HOME: workspace },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started?.(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  return new Promise((done) =>
    child.once('close', (code) => {
      let json: unknown = null;
      try {
        json = JSON.parse(stdout);
      } catch {}
      done({ code, json, stdout, stderr, milliseconds: performance.now() - begin });
    }),
  );
}
