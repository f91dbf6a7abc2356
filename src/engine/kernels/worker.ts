// A kernel thread: takes the next piece of a task until none is left. Entry of its own bundle.
import { parentPort, workerData } from 'node:worker_threads';
import { Bench } from './bench';
import type { FromThread, Start, ToThread } from './thread';
import { runShare } from './thread';

const port = parentPort;
if (!port) throw new Error('the kernel worker runs as a thread only');
const { memory, module } = workerData as Start;
const bench = new Bench(memory, module);

port.on('message', (message: ToThread) => {
  const post = (answer: FromThread, transfer: ArrayBuffer[] = []) => port.postMessage(answer, transfer);
  runShare(bench, message, post);
});
