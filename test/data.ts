// Finds the test data that is not part of the project, and says aloud when it is missing.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = process.env.LATHE_TEST_DATA ?? resolve(import.meta.dirname, '../../shared/data');
export const hasTestData = existsSync(join(root, 'manifest.json'));

if (!hasTestData) {
  console.warn(
    `No test data at ${root}: tests on real models are skipped. Set LATHE_TEST_DATA to the folder with manifest.json.`,
  );
}

/** Absolute path of a file or folder of the test data, e.g. `testData('models/mnist-8/model.onnx')`. */
export function testData(path: string): string {
  return join(root, path);
}
