// Log file: stacks and what the runtime prints, for whoever mends Lathe; users get sentences instead.
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

const mostBytes = 4e6;

export class LogFile {
  readonly path: string;

  constructor(workspace: string) {
    const folder = join(workspace, 'logs');
    mkdirSync(folder, { recursive: true });
    this.path = join(folder, 'lathe.log');
  }

  write(from: string, text: string): void {
    const line = `${new Date().toISOString()} [${process.pid}] ${from}: ${text.trimEnd().replaceAll('\n', '\n    ')}\n`;
    try {
      if ((statSync(this.path, { throwIfNoEntry: false })?.size ?? 0) > mostBytes)
        renameSync(this.path, `${this.path}.1`);
      appendFileSync(this.path, line);
    } catch {
      // A full disk must not turn one failure into two.
    }
  }
}
