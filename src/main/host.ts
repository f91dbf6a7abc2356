// The composition every host shares: history, library, engines and the router; a host brings its transport, dialogs and forker.
import { createRouter, type LatheRouter } from './handlers';
import type { Dialogs, HostKind, Services } from './handlers/services';
import { openServices } from './handlers/services';
import type { ForkEngine } from './jobs/forkers';
import type { BlobFile } from './library';

export interface HostOptions {
  readonly kind: HostKind;
  /** Absolute; made when it is not there. */
  readonly workspace: string;
  readonly forkEngine: ForkEngine;
  /** Native dialogs, on the desktop only. */
  readonly dialogs?: Dialogs;
}

export interface Host {
  readonly router: LatheRouter;
  /** What the router's procedures need; hand it to the transport's handler as `context`. */
  readonly context: Services;
  /** Files that are too large for the contract; the transport serves them at `/blob/<id>`. Null when there is none. */
  readonly blobs: { open(id: string): Promise<BlobFile | null> };
  /** Where an upload is streamed before it is registered; inside the workspace, so that registering is a rename. */
  readonly uploadsFolder: string;
  /** Takes an uploaded file or folder into the library under its own name; answers the path to open. */
  registerUpload(path: string, name: string): Promise<string>;
  /** Jobs are cancelled, engines ended, history closed. */
  close(): Promise<void>;
}

export async function openHost(options: HostOptions): Promise<Host> {
  const services = await openServices(options);
  return {
    router: createRouter(),
    context: services,
    blobs: { open: (id) => services.library.blob(id) },
    uploadsFolder: services.library.uploads.incoming,
    registerUpload: (path, name) => services.library.uploads.register(path, name),
    close: () => services.close(),
  };
}

export type { Dialogs, HostKind } from './handlers/services';
export { childForker, type ForkEngine, type UtilityProcessModule, utilityForker } from './jobs/forkers';
export type { BlobFile } from './library';
