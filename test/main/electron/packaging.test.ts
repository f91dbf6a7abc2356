// The packaging configuration: valid for electron-builder, nothing rebuilt, every fuse named, only this system's runtime kept.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FuseV1Options } from '@electron/fuses';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
const require = createRequire(import.meta.url);
const { default: config, fuses, pruneRuntime } = await import(join(root, 'electron-builder.config.mjs'));

it('is what electron-builder takes', async () => {
  const { validateConfiguration } = require('app-builder-lib/out/util/config/config');
  const { DebugLogger } = require('builder-util');
  await expect(validateConfiguration(config, new DebugLogger(false))).resolves.toBeUndefined();
});

it('rebuilds nothing and unpacks what must be a real file', () => {
  expect(config).toMatchObject({ npmRebuild: false, nodeGypRebuild: false, asar: true });
  expect(config.asarUnpack).toEqual(
    expect.arrayContaining([
      '**/*.node',
      '**/*.wasm',
      '**/node_modules/onnxruntime-node/bin/**',
      '**/node_modules/@img/**',
      '**/node_modules/sharp/**',
      'out/main/engine.js',
      'out/main/kernel-worker.js',
      'out/main/hash-worker.js',
      'out/main/chunks/**',
    ]),
  );
});

it('has a target for three systems and opens models', () => {
  for (const system of ['linux', 'win', 'mac']) expect(config[system].target.length).toBeGreaterThan(0);
  expect(config.fileAssociations.map((association: { ext: string }) => association.ext)).toEqual(['onnx', 'gguf']);
});

it('names every fuse that exists, as the checklist wants them', () => {
  const known = Object.values(FuseV1Options).filter((value) => typeof value === 'number');
  for (const fuse of known) expect(typeof fuses[fuse], FuseV1Options[fuse as number]).toBe('boolean');
  expect(fuses.strictlyRequireAllFuses).toBe(true);
  expect(fuses[FuseV1Options.RunAsNode]).toBe(false);
  expect(fuses[FuseV1Options.EnableNodeOptionsEnvironmentVariable]).toBe(false);
  expect(fuses[FuseV1Options.EnableNodeCliInspectArguments]).toBe(false);
  expect(fuses[FuseV1Options.EnableEmbeddedAsarIntegrityValidation]).toBe(true);
  expect(fuses[FuseV1Options.OnlyLoadAppFromAsar]).toBe(true);
  expect(fuses[FuseV1Options.GrantFileProtocolExtraPrivileges]).toBe(false);
});

describe('the runtime', () => {
  it('keeps the folder of the packaged system only', async () => {
    const resources = mkdtempSync(join(tmpdir(), 'lathe-pack-'));
    const bin = join(resources, 'app.asar.unpacked/node_modules/onnxruntime-node/bin/napi-v6');
    for (const folder of ['linux/x64', 'linux/arm64', 'win32/x64', 'darwin/arm64']) {
      mkdirSync(join(bin, folder), { recursive: true });
      writeFileSync(join(bin, folder, 'binding.node'), '');
    }
    await pruneRuntime(resources, 'linux', 'x64');
    expect(readdirSync(bin)).toEqual(['linux']);
    expect(readdirSync(join(bin, 'linux'))).toEqual(['x64']);
    expect(existsSync(join(bin, 'linux/x64/binding.node'))).toBe(true);
    await expect(pruneRuntime(join(resources, 'missing'), 'linux', 'x64')).resolves.toBeUndefined();
  });
});
