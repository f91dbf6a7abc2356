// The renderer's files, as every host serves them: found inside one folder only, with their kind and how long they may be kept.
import { stat } from 'node:fs/promises';
import { extname, join, relative, resolve, sep } from 'node:path';

const kinds: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
};

export interface Asset {
  readonly path: string;
  readonly kind: string;
  readonly bytes: number;
  readonly cache: string;
}

/** The file for a path of the address, or null. A path without an ending is a page of the workbench. */
export async function findAsset(folder: string, pathname: string): Promise<Asset | null> {
  let wanted: string;
  try {
    wanted = decodeURIComponent(pathname);
  } catch {
    return null;
  }
  if (wanted.includes('\0') || wanted.includes('\\')) return null;
  if (extname(wanted) === '') wanted = '/index.html';
  const path = resolve(join(folder, wanted));
  const inside = relative(resolve(folder), path);
  if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`)) return null;
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) return null;
  return {
    path,
    kind: kinds[extname(path)] ?? 'application/octet-stream',
    bytes: found.size,
    // Vite puts a hash of the content into every name under assets/.
    cache: inside.startsWith(`assets${sep}`) ? 'public, max-age=31536000, immutable' : 'no-store',
  };
}

/**
 * What a page may load and reach: only itself. Mantine writes its size rules into style elements, hence 'unsafe-inline'
 * for styles; scripts stay strict. `sockets` is the address of the served host's WebSocket, which older browsers do not
 * count as 'self'.
 */
export function contentSecurityPolicy(sockets?: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    `connect-src 'self'${sockets ? ` ${sockets}` : ''}`,
    "worker-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Headers of every answer, whatever it is. */
export const guardHeaders: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=(), clipboard-read=()',
};
