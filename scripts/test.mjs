// Everything that proves correctness, in one command: types, layers, lint, unit and whole tests, the walk in a browser.
// Ends with one line that adds the runners' counts: `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const reports = mkdtempSync(join(tmpdir(), 'lathe-test-'));
const bin = (name) => join(root, 'node_modules/.bin', process.platform === 'win32' ? `${name}.cmd` : name);
const run = (title, command, args, env = {}) => {
  console.log(`\n— ${title}`);
  const started = performance.now();
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    env: { ...process.env, ...env },
  });
  console.log(
    `— ${title}: ${status === 0 ? 'done' : 'FAILED'} in ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  return status === 0;
};

let failures = 0;
const gate = (ok) => {
  if (!ok) failures += 1;
  return ok;
};

gate(run('kernels', process.execPath, ['src/engine/kernels/build.mjs']));
gate(run('types', process.execPath, ['scripts/types.mjs']));
gate(run('layers', process.execPath, ['scripts/layers.mjs']));
gate(run('lint', bin('biome'), ['check', '--error-on-warnings', '.']));
const built = gate(run('build', bin('electron-vite'), ['build', '--logLevel', 'warn']));

const vitestReport = join(reports, 'vitest.json');
const e2eReport = join(reports, 'e2e.json');
if (built) {
  gate(
    run('unit and whole tests', bin('vitest'), [
      'run',
      '--project=unit',
      '--project=whole',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${vitestReport}`,
    ]),
  );
  gate(run('browser', bin('playwright'), ['test', '--reporter=list,json'], { PLAYWRIGHT_JSON_OUTPUT_NAME: e2eReport }));
}

const read = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null);
const vitest = read(vitestReport);
const e2e = read(e2eReport)?.stats;
const passed = (vitest?.numPassedTests ?? 0) + (e2e?.expected ?? 0) + (e2e?.flaky ?? 0);
let failed = (vitest?.numFailedTests ?? 0) + (e2e?.unexpected ?? 0);
const skipped = (vitest?.numPendingTests ?? 0) + (vitest?.numTodoTests ?? 0) + (e2e?.skipped ?? 0);
// A gate that failed without a failed test (types, build, a runner that died) counts as one.
if (failures > 0 && failed === 0) failed = failures;
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 ? 1 : 0);
