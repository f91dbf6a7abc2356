// Uploads to a served workbench: announced, sent in pieces, resumed where they broke off, cancelled without a trace.
import type { Refusal } from '../contract/words/refusal';

/** A file with its path inside what was dropped. */
export interface UploadSource {
  path: string;
  file: File;
}

export interface UploadProgress {
  sent: number;
  total: number;
}

/** Small enough to show progress and to lose little, large enough to be quick. */
const pieceBytes = 8 * 1024 * 1024;
const retryDelaysMs = [500, 1500, 4000];

export class UploadRefused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.sentence);
  }
}

interface Session {
  id: string;
  files: { path: string; bytes: number; offset: number }[];
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function ask<Answer>(path: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(path, init);
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as Answer;
  const body = (await response.json().catch(() => null)) as { error?: Refusal } | null;
  throw new UploadRefused(
    body?.error ?? { code: 'failed', sentence: `The upload was answered with ${response.status}.`, mend: 'Try again.' },
  );
}

/** Sends everything and answers the path that the host can open. */
export async function upload(
  name: string,
  sources: readonly UploadSource[],
  onProgress: (progress: UploadProgress) => void,
  signal: AbortSignal,
): Promise<string> {
  const total = sources.reduce((sum, source) => sum + source.file.size, 0);
  const session = await ask<Session>('/upload', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, files: sources.map(({ path, file }) => ({ path, bytes: file.size })) }),
    signal,
  });
  const at = `/upload/${session.id}`;
  try {
    let before = 0;
    for (const [index, source] of sources.entries()) {
      await sendFile(`${at}/${index}`, source.file, (sent) => onProgress({ sent: before + sent, total }), signal);
      before += source.file.size;
    }
    const { path } = await ask<{ path: string }>(`${at}/complete`, { method: 'POST', signal });
    return path;
  } catch (error) {
    void fetch(at, { method: 'DELETE' }).catch(() => undefined);
    throw error;
  }
}

async function sendFile(at: string, file: File, onSent: (sent: number) => void, signal: AbortSignal): Promise<void> {
  let offset = 0;
  let failures = 0;
  while (offset < file.size) {
    const piece = file.slice(offset, offset + pieceBytes);
    try {
      await ask(at, { method: 'PATCH', headers: { 'upload-offset': String(offset) }, body: piece, signal });
      offset += piece.size;
      failures = 0;
    } catch (error) {
      if (signal.aborted || (error instanceof UploadRefused && error.refusal.code !== 'changed')) throw error;
      const delay = retryDelaysMs[failures++];
      if (delay === undefined) throw error;
      await wait(delay);
      // What arrived before the wire broke stays: go on there.
      const known = await fetch(at, { method: 'HEAD', signal }).catch(() => null);
      const length = Number(known?.headers.get('upload-offset') ?? Number.NaN);
      if (Number.isFinite(length)) offset = length;
    }
    onSent(offset);
  }
}
