// Forkers: Electron's utilityProcess behind the same small interface as a forked child, and the pipe over it.
import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { FromEngine } from '../../../src/main/jobs/engine-process';
import { childForker, type UtilityProcessModule, utilityForker } from '../../../src/main/jobs/forkers';
import { EnginePipe } from '../../../src/main/jobs/pipe';
import { temporaryFolder, until } from '../workspace';

/** As electron.d.ts describes it: messages out by postMessage, in by `message`, the end by `exit` with a code. */
class FakeUtility extends EventEmitter {
  readonly pid = undefined;
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly posted: unknown[] = [];
  postMessage(message: unknown) {
    this.posted.push(message);
  }
  kill() {
    this.emit('exit', 143);
    return true;
  }
}

async function engineFile(program: string): Promise<string> {
  const file = join(await temporaryFolder(), 'engine.mjs');
  writeFileSync(file, program);
  return file;
}

describe('a utility process', () => {
  it('is told its role, asked, heard, and its end is the end of what it was asked', async () => {
    const child = new FakeUtility();
    let forked: unknown[] = [];
    const module: UtilityProcessModule = {
      fork: (...given) => {
        forked = given;
        return child;
      },
    };
    const said: string[] = [];
    const pipe = new EnginePipe(utilityForker(module, await engineFile(''))('desk'), (text) => said.push(text));
    expect(forked[2]).toMatchObject({ serviceName: 'Lathe engine (desk)', stdio: 'pipe' });
    expect((forked[2] as { env: NodeJS.ProcessEnv }).env.LATHE_HOST_PID).toBe(String(process.pid));
    const fits = pipe.ask('fit', { path: '/m', device: 'pi' });
    const verified = pipe.ask('verify', { path: '/b' });
    expect(child.posted).toEqual([
      { kind: 'role', role: 'desk' },
      { kind: 'task', id: 1, name: 'fit', ask: { path: '/m', device: 'pi' } },
      { kind: 'task', id: 2, name: 'verify', ask: { path: '/b' } },
    ]);
    child.stderr.write('a warning of the runtime');
    child.emit('message', { kind: 'answer', id: 1, answer: { fits: 'yes' } } satisfies FromEngine);
    expect(await fits).toEqual({ fits: 'yes' });
    await until(() => said.includes('a warning of the runtime'));
    child.emit('exit', 134);
    await expect(verified).rejects.toMatchObject({
      refusal: {
        code: 'engine-died',
        sentence: expect.stringContaining('while verifying the bundle. The runtime aborted.'),
      },
    });
    expect(pipe.alive).toBe(false);
    await pipe.gone;
  });
});

describe('a forked child', () => {
  it('keeps typed arrays, and its last words are in the log', async () => {
    const fork = childForker(
      await engineFile(`
        process.on('message', ({ kind, id, ask }) => {
          if (kind !== 'task') return;
          console.error('working');
          process.send({ kind: 'answer', id, answer: { sum: ask.values.reduce((a, b) => a + b), name: ask.values.constructor.name } });
        });`),
    );
    const said: string[] = [];
    const pipe = new EnginePipe(fork('bench'), (text) => said.push(text));
    const answer = await pipe.ask('verify', { path: '', values: new Float32Array([1, 2]) } as never);
    expect(answer).toEqual({ sum: 3, name: 'Float32Array' });
    await until(() => said.join('').includes('working'));
    pipe.kill();
    await pipe.gone;
    await expect(pipe.ask('verify', { path: '' })).rejects.toMatchObject({ refusal: { code: 'cancelled' } });
  });

  it('that ends by itself says with what code', async () => {
    const pipe = new EnginePipe(childForker(await engineFile('process.exit(7)'))('bench'), () => {});
    await expect(pipe.ask('open', { path: '' })).rejects.toMatchObject({
      refusal: { sentence: expect.stringContaining('while opening the model. It ended with code 7.') },
    });
  });

  it('is told apart from another build', async () => {
    const [one, other] = [await engineFile('1'), await engineFile('2')];
    expect(childForker(one).build).toMatch(/^[0-9a-f]{32}$/);
    expect(childForker(one).build).toBe(childForker(one).build);
    expect(childForker(one).build).not.toBe(childForker(other).build);
  });
});
