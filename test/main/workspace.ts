// A workspace of its own for each test, a host in it with an engine of plain functions, and all of it gone afterwards.
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { onTestFinished } from 'vitest';
import { type Host, type HostOptions, openHost } from '../../src/main/host';
import { type FakeEngine, fakeEngine } from './jobs/fake-engine';

export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'lathe-test-')));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function openTestHost(options: Partial<HostOptions> & { engine?: FakeEngine } = {}) {
  const engine = options.engine ?? fakeEngine();
  const workspace = options.workspace ?? (await temporaryFolder());
  const host: Host = await openHost({ kind: 'cli', workspace, forkEngine: engine.fork, ...options });
  onTestFinished(() => host.close());
  return { host, engine, workspace, client: createRouterClient(host.router, { context: host.context }) };
}

/** A file that the fake engine takes for a model. */
export async function someModel(folder: string, name = 'net.onnx', content = 'some weights'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

export const halfRecipe = { lathe: 1, name: 'half', steps: [{ method: 'float16', params: {} }] };

/** Waits until something holds; fails loudly instead of hanging. */
export async function until<T>(ask: () => T | Promise<T>, withinMs = 5_000): Promise<NonNullable<T>> {
  const end = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`still not so after ${withinMs} ms: ${ask}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
