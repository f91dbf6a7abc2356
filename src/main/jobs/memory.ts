// Memory: what our processes hold that is not file-backed, summed, and its peak.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

const sampleMs = 100;
/** Asking another program costs more, so elsewhere it is asked less often. */
const slowSampleMs = 2_000;

/** Samples a set of processes until it is stopped. */
export class MemoryMeter {
  readonly #pids: () => readonly (number | undefined)[];
  readonly #timer: NodeJS.Timeout;
  #now = 0;
  #peak = 0;
  #frozen = false;

  constructor(pids: () => readonly (number | undefined)[]) {
    this.#pids = pids;
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), process.platform === 'linux' ? sampleMs : slowSampleMs);
    this.#timer.unref();
  }

  get now(): number {
    return this.#now;
  }

  get peak(): number {
    return this.#peak;
  }

  /** The peak stays as it is from now on: what follows is a stage of its own. */
  freeze(): void {
    if (!this.#frozen) this.#sample();
    this.#frozen = true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const pids = this.#pids().filter((pid) => pid !== undefined);
    if (process.platform === 'linux') this.#take(pids.reduce((sum, pid) => sum + heldBytes(pid), 0));
    else residentBytes(pids, (bytes) => this.#take(bytes));
  }

  #take(bytes: number): void {
    this.#now = bytes;
    if (!this.#frozen) this.#peak = Math.max(this.#peak, bytes);
  }
}

/** RssAnon and RssShmem of a process: resident, and not a page of some file. 0 when it has ended. */
export function heldBytes(pid: number): number {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return 0;
  }
  let kilobytes = 0;
  for (const [, value] of status.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB$/gm)) kilobytes += Number(value);
  return kilobytes * 1024;
}

/** Where the system does not tell file-backed pages apart, all resident memory counts. */
export function residentBytes(pids: readonly number[], tell: (bytes: number) => void): void {
  if (process.platform === 'win32') {
    execFile('tasklist', ['/fo', 'csv', '/nh'], { windowsHide: true }, (error, text) => {
      if (!error) tell(sumOfTasklist(text, pids));
    });
  } else {
    execFile('ps', ['-o', 'rss=', '-p', pids.join(',')], (error, text) => {
      if (!error) tell(text.split('\n').reduce((sum, line) => sum + Number(line) * 1024, 0));
    });
  }
}

/** Lines are `"name","pid","session","#","12,345 K"`; the separator of thousands is the system's. */
export function sumOfTasklist(text: string, pids: readonly number[]): number {
  let bytes = 0;
  for (const line of text.split('\n')) {
    const fields = line.trim().slice(1, -1).split('","');
    if (pids.includes(Number(fields[1]))) bytes += Number((fields[4] ?? '').replace(/\D/g, '')) * 1024;
  }
  return bytes;
}

/** Memory that can be had without swapping; null where the system does not tell. */
export function availableBytes(): number | null {
  try {
    const line = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1'));
    return line ? Number(line[1]) * 1024 : null;
  } catch {
    return null;
  }
}
