// Which engines belong to which host: read from their environment, which the host sets when it forks them (Linux).
import { readdirSync, readFileSync } from 'node:fs';

/** Process numbers of living engines of a host; a zombie has ended. */
export function enginesOf(host: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        return environment.includes(`LATHE_HOST_PID=${host}`) && !stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
      } catch {
        return false;
      }
    });
}

export function lives(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}
