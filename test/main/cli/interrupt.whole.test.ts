// Ctrl-C and its relatives: 130, nothing half-written, no process left; and the same when the launcher itself is killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasTestData, testData } from '../../data';
import { lathe, root } from '../../lathe';

const folder = mkdtempSync(join(tmpdir(), 'lathe-interrupt-'));
const model = testData('models/cifar10-resnet2b/model.onnx');
const data = testData('data/cifar10');
const recipeFile = join(folder, 'recipe.json');
writeFileSync(recipeFile, JSON.stringify({ lathe: 1, steps: [{ method: 'weight-only', params: { bits: 4 } }] }));

/** Processes whose environment names this workspace: ours, wherever they hang in the tree. */
function processesOf(workspace: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`LATHE_HOME=${workspace}\0`);
    } catch {
      return false;
    }
  });
}

const engineRuns = (workspace: string) => expect.poll(() => processesOf(workspace).length, { timeout: 20_000 });

describe.skipIf(!hasTestData || process.platform !== 'linux')('a run', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('ends cleanly by %s', async (signal) => {
    const workspace = join(folder, signal);
    const out = join(folder, `out-${signal}`);
    let child: ChildProcess | undefined;
    const running = lathe(['run', model, '--recipe', recipeFile, '--data', data, '--out', out, '--json'], {
      workspace,
      started: (process) => (child = process),
    });
    // The host, the desk and the bench.
    await engineRuns(workspace).toBeGreaterThanOrEqual(3);
    child?.kill(signal);
    const outcome = await running;
    expect(outcome.code).toBe(signal === 'SIGINT' ? 130 : 143);
    expect(outcome.json.error.code).toBe('cancelled');
    expect(outcome.stderr).toBe('');
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
    expect(processesOf(workspace)).toEqual([]);
    const { json } = await lathe(['history', '--json'], { workspace });
    expect(json.runs.map((run: { state: string }) => run.state)).toEqual(['cancelled']);
    expect(readdirSync(join(workspace, 'library/sha256'))).toEqual([]);
  });

  it('ends when its launcher is killed, and leaves no process', async () => {
    const workspace = join(folder, 'killed');
    let child: ChildProcess | undefined;
    const running = lathe(['evaluate', model, '--data', data, '--json'], {
      workspace,
      started: (process) => (child = process),
    });
    await engineRuns(workspace).toBeGreaterThanOrEqual(3);
    child?.kill('SIGKILL');
    await running;
    await expect.poll(() => processesOf(workspace), { timeout: 5000 }).toEqual([]);
    const { json } = await lathe(['history', '--json'], { workspace });
    expect(['interrupted', 'cancelled']).toContain(json.runs[0].state);
  });
});

describe('the launcher', () => {
  const launcher = resolve(root, 'bin/lathe.mjs');
  const launch = (args: string[], node: string[] = [], env: NodeJS.ProcessEnv = {}) =>
    new Promise<{ code: number | null; stdout: string; stderr: string }>((done) => {
      const child = spawn(process.execPath, [...node, launcher, ...args], {
        env: { ...process.env, LATHE_HOME: join(folder, 'launcher'), ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (text) => (stdout += text));
      child.stderr.on('data', (text) => (stderr += text));
      child.once('close', (code) => done({ code, stdout, stderr }));
    });
  /** Makes a Node say that it is an old one, before anything else runs. */
  const old = [
    '--import',
    `data:text/javascript,${encodeURIComponent("Object.defineProperty(process, 'versions', { value: { ...process.versions, napi: '9' } })")}`,
  ];

  it('goes on in the Node that came with npm when this one is too old', async () => {
    const { code, stdout } = await launch(['--version'], old);
    if (process.platform !== 'darwin') expect([code, stdout]).toEqual([0, 'lathe-workbench 0.1.0\n']);
  });

  it('says what it needs where there is no other Node', async () => {
    const { code, stderr, stdout } = await launch(['history'], old, { LATHE_LAUNCHED: '1' });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^Lathe needs Node 22\.14 or newer; this is v/);
    const json = await launch(['history', '--json'], old, { LATHE_LAUNCHED: '1' });
    expect(JSON.parse(json.stdout).error.code).toBe('failed');
  });

  it('shows its help', async () => {
    const { code, stdout } = await launch(['--help']);
    expect(code).toBe(0);
    for (const command of [
      'serve',
      'inspect',
      'evaluate',
      'run',
      'methods',
      'devices',
      'fit',
      'bundle',
      'verify',
      'history',
      'replay',
    ])
      expect(stdout).toContain(`  ${command}`);
    expect((await launch(['run', '--help'])).stdout).toContain('--dry-run');
  });
});
