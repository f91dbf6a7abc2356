// A command's session: the host in this process, opened when first needed and closed in any case.
import { join } from 'node:path';
import { refuse } from '../../contract/words/refusal';
import type { Host } from '../host';
import { makeFolder } from '../make-folder';
import type { Client, Session } from './command';

export interface OpenSession extends Session {
  /** Jobs of this process are cancelled, engines ended. */
  close(): Promise<void>;
}

export function openSession(workspace: string, here: string, signal: AbortSignal): OpenSession {
  let host: Promise<Host> | undefined;
  const open = async (kind: 'cli' | 'served'): Promise<Host> => {
    const { childForker, openHost } = await import('../host');
    await makeFolder(workspace).catch(() =>
      refuse('failed', `The workspace ${workspace} cannot be made.`, 'Name another with --workspace.'),
    );
    return openHost({ kind, workspace, forkEngine: childForker(join(here, 'engine.js')) });
  };
  return {
    workspace,
    here,
    signal,
    host: (kind) => (host ??= open(kind)),
    async client(): Promise<Client> {
      const { createRouterClient } = await import('@orpc/server');
      const { router, context } = await (host ??= open('cli'));
      return createRouterClient(router, { context }) as Client;
    },
    async close() {
      await (await host?.catch(() => undefined))?.close();
    },
  };
}
