// Packaging of the desktop for Linux, Windows and macOS (`npm run package`).
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FuseV1Options, FuseVersion, flipFuses } from '@electron/fuses';
import { Arch } from 'electron-builder';

/** Every fuse of the wire is named, so a new one in a later Electron breaks the build instead of slipping in. */
export const fuses = {
  version: FuseVersion.V1,
  strictlyRequireAllFuses: true,
  // Engines are utility processes; the packaged program has no command line.
  [FuseV1Options.RunAsNode]: false,
  [FuseV1Options.EnableCookieEncryption]: true,
  [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
  [FuseV1Options.EnableNodeCliInspectArguments]: false,
  [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: true,
  [FuseV1Options.OnlyLoadAppFromAsar]: true,
  [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
  [FuseV1Options.GrantFileProtocolExtraPrivileges]: false,
  [FuseV1Options.WasmTrapHandlers]: true,
};

/** Which of onnxruntime's folders the packaged system runs; each of the others is tens of megabytes. */
export async function pruneRuntime(resources, platform, arch) {
  const root = join(resources, 'app.asar.unpacked/node_modules/onnxruntime-node/bin/napi-v6');
  for (const system of existsSync(root) ? await readdir(root) : []) {
    for (const cpu of await readdir(join(root, system)))
      if (system !== platform || cpu !== arch) await rm(join(root, system, cpu), { recursive: true });
    if (system !== platform) await rm(join(root, system), { recursive: true });
  }
}

async function afterPack({ appOutDir, electronPlatformName: platform, arch, packager }) {
  const name = packager.appInfo.productFilename;
  const mac = platform === 'darwin';
  const resources = mac ? join(appOutDir, `${name}.app/Contents/Resources`) : join(appOutDir, 'resources');
  await pruneRuntime(resources, platform, Arch[arch]);
  const program = mac ? `${name}.app` : platform === 'win32' ? `${name}.exe` : packager.executableName;
  await flipFuses(join(appOutDir, program), { ...fuses, resetAdHocDarwinSignature: mac && Arch[arch] === 'arm64' });
}

export default {
  appId: 'io.github.lathe-workbench.lathe',
  productName: 'Lathe',
  copyright: 'Copyright © 2026 The Lathe founders',
  directories: { output: 'dist', buildResources: 'resources/icons' },
  files: [
    'out/**',
    'package.json',
    'LICENSE',
    // The Node that npm brings for the command line; Electron has its own.
    '!**/node_modules/node-{linux,win,darwin}-*/**',
    '!**/*.{map,md,markdown}',
  ],
  asar: true,
  // What the system's loader, a worker thread or the runtime opens by itself must be a real file.
  asarUnpack: [
    '**/*.node',
    '**/*.wasm',
    '**/node_modules/onnxruntime-node/bin/**',
    '**/node_modules/@img/**',
    '**/node_modules/sharp/**',
    'out/main/engine.js',
    'out/main/kernel-worker.js',
    'out/main/hash-worker.js',
    'out/main/chunks/**',
  ],
  // The runtime reads models by itself, and it cannot read an archive.
  extraResources: [{ from: 'resources/sample', to: 'sample' }],
  // Every native dependency is one Node-API binary for Node and Electron.
  npmRebuild: false,
  nodeGypRebuild: false,
  buildDependenciesFromSource: false,
  afterPack,
  fileAssociations: [
    { ext: 'onnx', name: 'ONNX model', role: 'Viewer', rank: 'Alternate', mimeType: 'application/x-onnx' },
    { ext: 'gguf', name: 'GGUF model', role: 'Viewer', rank: 'Alternate', mimeType: 'application/x-gguf' },
  ],
  linux: {
    executableName: 'lathe-workbench',
    category: 'Development',
    synopsis: 'Makes neural networks small enough for the device they must run on',
    icon: 'resources/icons',
    target: [
      { target: 'AppImage', arch: ['x64', 'arm64'] },
      { target: 'deb', arch: ['x64', 'arm64'] },
    ],
  },
  win: {
    icon: 'resources/icons/icon.ico',
    target: [{ target: 'nsis', arch: ['x64', 'arm64'] }],
  },
  nsis: { oneClick: false, perMachine: false, allowToChangeInstallationDirectory: true },
  mac: {
    icon: 'resources/icons/icon.icns',
    category: 'public.app-category.developer-tools',
    hardenedRuntime: true,
    // onnxruntime has no Intel build for macOS.
    target: [{ target: 'dmg', arch: ['arm64'] }],
  },
};
