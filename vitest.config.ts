// `unit` is fast and needs no build; `whole` starts real engines, hosts and files, and needs `npm run build`; `prove` measures.
import { defineConfig } from 'vitest/config';

const slow = ['test/**/*.whole.test.ts'];
export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.{ts,tsx}'], exclude: [...slow, 'test/e2e/**'] },
      },
      {
        extends: true,
        test: { name: 'whole', include: slow, testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false },
      },
      {
        // The long measurements behind docs/evidence; run by `npm run prove` alone.
        extends: true,
        test: {
          name: 'prove',
          include: [
            'test/prove/*.prove.ts',
            'test/conformance/conformance.whole.test.ts',
            'test/main/jobs/kill.whole.test.ts',
          ],
          env: { LATHE_PROVE: '1', LATHE_KILLS: '50' },
          testTimeout: 3_600_000,
          fileParallelism: false,
        },
      },
    ],
    // onnxruntime aborts a process that ends a thread with a run in flight; forks die alone.
    pool: 'forks',
  },
});
