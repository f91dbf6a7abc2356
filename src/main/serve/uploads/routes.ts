// Uploads over HTTP: announce, send in pieces, resume, complete, cancel.
//   POST   /upload                 {name, files:[{path, bytes}]}  → 201 {id, name, files:[{path, bytes, offset}]}
//   GET    /upload/<id>                                           → 200 the same: where every file goes on
//   HEAD   /upload/<id>/<index>                                   → 200, Upload-Offset, Upload-Length
//   PATCH  /upload/<id>/<index>    Upload-Offset, Content-Length  → 204, Upload-Offset (409 with it where it goes on elsewhere)
//   POST   /upload/<id>/complete                                  → 200 {path}: what to open
//   DELETE /upload/<id>                                           → 204
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type RefusalCode, Refused, refuse } from '../../../contract/words/refusal';
import { announcement, type Uploads } from './session';

export type Register = (path: string, name: string) => Promise<string>;

const mostAnnouncedBytes = 1 << 20;

const statusOf: Partial<Record<RefusalCode, number>> = {
  'not-found': 404,
  'disk-full': 507,
  usage: 400,
  busy: 409,
  changed: 409,
  cancelled: 410,
};

export async function handleUpload(
  request: IncomingMessage,
  response: ServerResponse,
  pathname: string,
  uploads: Uploads,
  register: Register,
): Promise<void> {
  const [, , id, rest] = pathname.split('/');
  const index = rest !== undefined && /^\d{1,4}$/.test(rest) ? Number(rest) : undefined;
  try {
    switch (`${request.method} ${shapeOf(pathname)}`) {
      case 'POST /upload':
        return answer(response, 201, await uploads.start(await readAnnouncement(request)));
      case 'GET /upload/id':
        return answer(response, 200, await uploads.get(id ?? ''));
      case 'DELETE /upload/id':
        await uploads.cancel(id ?? '');
        return answer(response, 204);
      case 'HEAD /upload/id/index': {
        const file = (await uploads.get(id ?? '')).files[index ?? 0];
        if (!file) refuse('not-found', `The upload has no file ${index}.`);
        return answer(response, 200, undefined, { 'upload-offset': file.offset, 'upload-length': file.bytes });
      }
      case 'PATCH /upload/id/index': {
        const bytes = numberIn(request, 'content-length');
        const offset = numberIn(request, 'upload-offset');
        const next = await uploads.append(id ?? '', index ?? 0, offset, bytes, request);
        return answer(response, 204, undefined, { 'upload-offset': next });
      }
      case 'POST /upload/id/complete':
        return answer(response, 200, { path: await uploads.complete(id ?? '', register) });
      default:
        return answer(response, 404, { error: { code: 'not-found', sentence: 'There is nothing here.' } });
    }
  } catch (error) {
    if (response.headersSent || response.destroyed || request.errored) return void response.destroy();
    const refusal =
      error instanceof Refused
        ? error.refusal
        : { code: 'failed' as const, sentence: 'The upload failed: the file could not be written.' };
    const file = index === undefined ? undefined : await uploads.get(id ?? '').catch(() => undefined);
    const offset = file?.files[index ?? 0]?.offset;
    // What is left of the body is dropped, so that the answer arrives also in the middle of a piece.
    request.resume();
    answer(
      response,
      statusOf[refusal.code] ?? 500,
      { error: refusal },
      offset === undefined ? {} : { 'upload-offset': offset },
    );
  }
}

function shapeOf(pathname: string): string {
  return pathname
    .replace(/^\/upload\/[0-9a-f]{32}(?=\/|$)/, '/upload/id')
    .replace(/^\/upload\/id\/\d{1,4}$/, '/upload/id/index');
}

async function readAnnouncement(request: IncomingMessage) {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > mostAnnouncedBytes) refuse('usage', 'The list of files is too long.');
    pieces.push(piece);
  }
  let json: unknown;
  try {
    json = JSON.parse(Buffer.concat(pieces).toString('utf8'));
  } catch {
    refuse('usage', 'The list of files is not JSON.');
  }
  const parsed = announcement.safeParse(json);
  if (!parsed.success) {
    const problem = parsed.error.issues[0];
    refuse('usage', `The list of files is not right: ${problem?.message}`, undefined, problem?.path.join('.'));
  }
  return parsed.data;
}

function numberIn(request: IncomingMessage, header: string): number {
  const text = request.headers[header];
  if (typeof text !== 'string' || !/^\d{1,15}$/.test(text)) refuse('usage', `The header ${header} is missing.`);
  return Number(text);
}

function answer(
  response: ServerResponse,
  status: number,
  body?: unknown,
  headers: Record<string, string | number> = {},
): void {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const kind = text === undefined ? {} : { 'content-type': 'application/json' };
  response.writeHead(status, { 'cache-control': 'no-store', ...kind, ...headers }).end(text);
}
