// Owner: which process a row belongs to, told apart from a later process that got the same number.
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

export interface Owner {
  readonly pid: number;
  /** Clock ticks between boot and the process's start; empty where the system does not tell. */
  readonly started: string;
  /** This boot of this machine. */
  readonly boot: string;
}

/** Without a start time a number may have been given to another process: then silence this long means gone. */
const silenceMs = 120_000;

export function thisOwner(): Owner {
  return { pid: process.pid, started: startOf(process.pid), boot: bootId() };
}

export function isAlive(owner: Owner & { readonly heartbeat: number }, now: number): boolean {
  if (!sameBoot(owner.boot, bootId())) return false;
  if (!exists(owner.pid)) return false;
  if (owner.started !== '') return startOf(owner.pid) === owner.started;
  return now - owner.heartbeat < silenceMs;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and someone else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/PID/stat; the command's name before it may hold spaces and brackets. A zombie has ended. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'ended' : (fields[19] ?? '');
  } catch {
    return '';
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return `minute ${Math.round((Date.now() / 1000 - uptime()) / 60)}`;
  }
}

/** Where the boot is known by its minute only, two readings may differ by the clock's corrections. */
function sameBoot(a: string, b: string): boolean {
  const [minuteA, minuteB] = [a, b].map((boot) => /^minute (\d+)$/.exec(boot)?.[1]);
  if (minuteA === undefined || minuteB === undefined) return a === b;
  return Math.abs(Number(minuteA) - Number(minuteB)) <= 2;
}
