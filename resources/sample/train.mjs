// Trains a sample with Lathe itself: `lathe run` on weights drawn by chance, in a workspace that is gone afterwards.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** `start`: the untrained model's bytes; `data`: its dataset; `recipe`: a file; `to`: where the trained model goes. */
export function train({ start, data, recipe, to }) {
  const work = mkdtempSync(join(tmpdir(), 'lathe-sample-'));
  try {
    const model = join(work, basename(to));
    const out = join(work, 'out');
    writeFileSync(model, start);
    const lathe = join(import.meta.dirname, '../../bin/lathe.mjs');
    const told = [
      'run',
      model,
      '--recipe',
      recipe,
      '--data',
      data,
      '--out',
      out,
      '--workspace',
      join(work, 'workspace'),
    ];
    const { status } = spawnSync(process.execPath, [lathe, ...told], { stdio: 'inherit' });
    if (status !== 0) throw new Error(`lathe run ended with ${status}`);
    copyFileSync(join(out, 'model.onnx'), to);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
