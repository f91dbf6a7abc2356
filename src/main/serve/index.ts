// `lathe serve`: starts the served host, prints where it is, opens the browser, and runs until it is told to end.
import { join } from 'node:path';
import { refuse } from '../../contract/words/refusal';
import type { Host } from '../host';
import { openBrowser } from './browser';
import { makeKeys } from './keys';
import { startServer } from './server';

export interface ServeArguments {
  /** 0 takes a free one. */
  readonly port: number;
  /** Opens the user's browser, where there is one. */
  readonly open: boolean;
  /** The folder of the built entries; the renderer is `../renderer` from there. */
  readonly here: string;
  readonly signal: AbortSignal;
  openHost(): Promise<Host>;
}

/** Ends when `signal` is aborted; the host is closed by whoever opened it. */
export async function serve(args: ServeArguments): Promise<void> {
  const keys = makeKeys();
  const server = await startServer({
    port: args.port,
    keys,
    renderer: join(args.here, '../renderer'),
    openHost: args.openHost,
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE')
      refuse('failed', `Port ${args.port} of 127.0.0.1 is taken.`, 'Name another with --port, or none for a free one.');
    if (error.code === 'EACCES') refuse('failed', `Port ${args.port} may not be used by this user.`);
    throw error;
  });
  const address = `http://127.0.0.1:${server.port}`;
  process.stdout.write(`Lathe is at ${address}/?t=${keys.token}\n`);
  if (args.open) openBrowser(`${address}/?t=${keys.issueCode()}`);
  if (!args.signal.aborted) await new Promise((done) => args.signal.addEventListener('abort', done, { once: true }));
  await server.close();
}
