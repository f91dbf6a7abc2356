// The wire to the host: a MessagePort on the desktop, a WebSocket at our own origin in the browser, taken up again when it breaks.
import type { ClientContext, ClientLink, ClientOptions } from '@orpc/client';
import { RPCLink as PortLink } from '@orpc/client/message-port';
import { RPCLink as SocketLink } from '@orpc/client/websocket';
import { useSyncExternalStore } from 'react';
import { desktop } from './desktop';

export type ConnectionState = 'connecting' | 'open' | 'lost';

let state: ConnectionState = 'connecting';
let epoch = 0;
const listeners = new Set<() => void>();

function enter(next: ConnectionState): void {
  if (next === state) return;
  if (next === 'open') epoch++;
  state = next;
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
};

/** What the wire is doing now. */
export const useConnection = (): ConnectionState => useSyncExternalStore(subscribe, () => state);

/** Grows by one at every (re)connection: streams that depend on it start anew. */
export const useConnectionEpoch = (): number => useSyncExternalStore(subscribe, () => epoch);

const retryDelaysMs = [250, 500, 1000, 2000, 4000];

/** Calls made while the wire is down wait for the next one; those in flight when it breaks fail and may be repeated. */
class ReconnectingLink implements ClientLink<ClientContext> {
  private link: Promise<SocketLink<ClientContext>>;
  private attempts = 0;

  constructor(private readonly url: string) {
    this.link = this.connect();
  }

  async call(path: readonly string[], input: unknown, options: ClientOptions<ClientContext>): Promise<unknown> {
    const link = await this.link;
    return link.call(path, input, options);
  }

  private connect(): Promise<SocketLink<ClientContext>> {
    return new Promise((resolve) => {
      const open = () => {
        const socket = new WebSocket(this.url);
        let was = false;
        socket.addEventListener('open', () => {
          was = true;
          this.attempts = 0;
          resolve(new SocketLink({ websocket: socket }));
          enter('open');
        });
        socket.addEventListener('close', () => {
          enter('lost');
          const delay = retryDelaysMs[Math.min(this.attempts++, retryDelaysMs.length - 1)];
          if (was) this.link = this.connectAfter(delay);
          else setTimeout(open, delay);
        });
      };
      open();
    });
  }

  private connectAfter(delay = 0): Promise<SocketLink<ClientContext>> {
    return new Promise((resolve) => setTimeout(() => resolve(this.connect()), delay));
  }
}

/** The link this window speaks through. */
export function openLink(): ClientLink<ClientContext> {
  if (desktop) {
    const { port1, port2 } = new MessageChannel();
    window.postMessage('lathe:connect', '*', [port2]);
    port1.start();
    enter('open');
    return new PortLink({ port: port1 });
  }
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return new ReconnectingLink(`${scheme}://${location.host}/rpc`);
}
