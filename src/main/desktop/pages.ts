// The desktop's own address, lathe://app/: the renderer's files and blobs from disk, and nothing else.
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { contentSecurityPolicy, findAsset, guardHeaders } from '../assets';
import type { Host } from '../host';

export const scheme = 'lathe';
export const homePage = `${scheme}://app/`;

/** A frame of ours: only its messages are listened to. */
export const isOurs = (url: string | undefined): boolean => url?.startsWith(homePage) ?? false;

/** Requests that may leave a page: our own address, and what a page made for itself. */
export const mayAsk = (url: string): boolean => /^(blob:lathe:\/\/app\/|data:|devtools:)/.test(url) || isOurs(url);

/** Answers as the served host does, without its gate: only this program's own window can ask. */
export function pageResponder(renderer: string, blobs: Host['blobs']): (request: Request) => Promise<Response> {
  return async (request) => {
    const url = URL.parse(request.url);
    if (url?.host !== 'app' || (request.method !== 'GET' && request.method !== 'HEAD')) return empty(403);
    const blob = url.pathname.startsWith('/blob/') ? await blobs.open(url.pathname.slice('/blob/'.length)) : undefined;
    if (blob === null) return empty(404);
    if (blob) return file(blob.path, { 'content-type': blob.type, 'content-length': String(blob.bytes) });
    const asset = await findAsset(renderer, url.pathname);
    if (!asset) return empty(404);
    return file(asset.path, {
      'content-type': asset.kind,
      'content-length': String(asset.bytes),
      'cache-control': asset.cache,
      'content-security-policy': contentSecurityPolicy(),
    });
  };
}

const empty = (status: number) => new Response(null, { status, headers: guardHeaders });

function file(path: string, headers: Record<string, string>): Response {
  const body = Readable.toWeb(createReadStream(path)) as unknown as ReadableStream;
  return new Response(body, { headers: { ...guardHeaders, ...headers } });
}
