// Watchdog: a thread that ends this engine within 2 s of its host's death, even while a run blocks the main thread.
import { Worker } from 'node:worker_threads';

const pollMs = 500;

// A thread of its own, because a run of the runtime blocks every timer of the main thread. Plain JavaScript in a string, so that it
// needs no file. SIGKILL, because an ordinary exit waits for the run. The parent's number alone is not enough: Electron may start
// engines through a helper process, so the host's own number is watched too.
const program = `
  const { workerData } = require('node:worker_threads');
  const parent = process.ppid;
  const lives = (pid) => {
    try { process.kill(pid, 0); return true; } catch (error) { return error.code === 'EPERM'; }
  };
  setInterval(() => {
    if (process.ppid !== parent || (workerData.host && !lives(workerData.host))) process.kill(process.pid, 'SIGKILL');
  }, workerData.pollMs);
`;

export function startWatchdog(): void {
  const host = Number(process.env.LATHE_HOST_PID) || null;
  const worker = new Worker(program, { eval: true, workerData: { host, pollMs }, stdin: false });
  // It watches; it is no reason to stay alive.
  worker.unref();
}
