// Who may come in: decides over every request by Host, Origin and cookie before anything else looks at it.
import type { IncomingHttpHeaders } from 'node:http';
import type { Keys } from './keys';

export interface Door {
  readonly port: number;
  readonly keys: Keys;
}

export interface Visitor {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** `enter`: the token is right, set the cookie; `pass`: the cookie is right; `refuse`: 403. */
export type Verdict = 'enter' | 'pass' | 'refuse';

/** Cookies are shared by all ports of a machine; the port in the name keeps two workbenches apart. */
export const cookieName = (port: number) => `lathe-${port}`;

export function admit(visitor: Visitor, door: Door): Verdict {
  if (!isOurHost(visitor, door.port)) return 'refuse';
  if (visitor.headers.origin !== undefined && !isOurOrigin(visitor)) return 'refuse';
  const url = parse(visitor.url);
  if (url === null) return 'refuse';
  if (url.pathname === '/' && url.searchParams.has('t'))
    return visitor.method === 'GET' && door.keys.opens(url.searchParams.get('t') ?? '') ? 'enter' : 'refuse';
  if (!isOwnFetch(visitor)) return 'refuse';
  return hasCookie(visitor, door) ? 'pass' : 'refuse';
}

/** A WebSocket is not held to the same-origin rule by the browser: here a missing Origin is refused as well. */
export function admitSocket(visitor: Visitor, door: Door): boolean {
  return isOurHost(visitor, door.port) && isOurOrigin(visitor) && hasCookie(visitor, door);
}

/** A name that was rebound to 127.0.0.1 arrives with its own Host. */
function isOurHost(visitor: Visitor, port: number): boolean {
  const host = visitor.headers.host;
  return host === `127.0.0.1:${port}` || host === `localhost:${port}`;
}

const isOurOrigin = (visitor: Visitor) => visitor.headers.origin === `http://${visitor.headers.host}`;

/** Another port of this machine is the same site, so its requests carry the cookie; only opening the page is allowed. */
function isOwnFetch(visitor: Visitor): boolean {
  const site = visitor.headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return true;
  return visitor.method === 'GET' && visitor.headers['sec-fetch-dest'] === 'document';
}

function hasCookie(visitor: Visitor, door: Door): boolean {
  const name = `${cookieName(door.port)}=`;
  const given = (visitor.headers.cookie ?? '').split(';').map((part) => part.trim());
  return given.some((part) => part.startsWith(name) && door.keys.isToken(part.slice(name.length)));
}

/** The path and query of a request target; null for what no browser sends. */
export function parse(target: string | undefined): URL | null {
  if (!target?.startsWith('/') || target.startsWith('//')) return null;
  return URL.parse(target, 'http://lathe');
}
