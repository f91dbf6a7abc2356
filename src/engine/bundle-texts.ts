// The files of a bundle that people and programs read: README, samples, what they need installed.
/// <reference path="./raw.d.ts" />
import type { BundleManifest } from '../contract/words/bundle';
import npyReader from './bundle-runner/npy.mjs?raw';
import nodeSample from './bundle-runner/run.mjs?raw';
import pythonSample from './bundle-runner/run.py?raw';
import verifier from './bundle-runner/verify.mjs?raw';
import { size } from './fit';

/** Path in the bundle → text; the README apart, since it speaks of the rest. */
export function runnerFiles(runtimeVersion: string): Record<string, string> {
  const needs = {
    name: 'lathe-bundle',
    private: true,
    type: 'module',
    scripts: { verify: 'node verify.mjs', sample: 'node samples/run.mjs' },
    dependencies: { 'onnxruntime-node': runtimeVersion },
  };
  return {
    'npy.mjs': npyReader,
    'verify.mjs': verifier,
    'samples/run.mjs': nodeSample,
    'samples/run.py': pythonSample,
    'package.json': `${JSON.stringify(needs, null, 2)}\n`,
    'requirements.txt': `onnxruntime>=${runtimeVersion}\nnumpy\n`,
  };
}

export interface ReadmeFacts {
  readonly name: string;
  readonly manifest: Omit<BundleManifest, 'id' | 'files'>;
  readonly modelBytes: number;
  readonly hasRecipe: boolean;
  readonly isGoldenFromData: boolean;
  readonly fit: string;
  readonly licences: readonly string[];
  /** Licence named inside the model's own metadata. */
  readonly statedLicence: string | null;
}

export function readme(facts: ReadmeFacts): string {
  const { manifest, name } = facts;
  const shape = (port: { shape: readonly unknown[] }) => `[${port.shape.map((dim) => dim ?? '?').join(', ')}]`;
  const ports = (list: readonly { name: string; dtype: string; shape: readonly unknown[] }[]) =>
    list.map((port) => `- \`${port.name}\`: ${port.dtype} ${shape(port)}`).join('\n');
  const tolerances = manifest.outputs
    .map(({ name: output, tolerance: { kind, value, argmax } }) => {
      const near = kind === 'exact' ? 'equal to the bit' : `off by at most ${value} of the largest number`;
      return `- \`${output}\`: ${near}${argmax ? ', and the same answer' : ''}`;
    })
    .join('\n');
  const parent = manifest.parent
    ? `Made from ${manifest.parent.name} (SHA-256 \`${manifest.parent.sha256}\`).`
    : 'Exported as it came.';
  return `# ${name} for the ${manifest.device.title}

${facts.fit} The model is ${size(facts.modelBytes)}, \`${manifest.model.file}\`, SHA-256 \`${manifest.model.sha256}\`.
${parent}${facts.hasRecipe ? ' `recipe.json` says how.' : ''} \`evidence.json\` holds what was measured, and on which machine.

## Run it

Node 22 or later:

    npm install        # on Linux x64, ONNXRUNTIME_NODE_INSTALL=skip leaves the CUDA download out
    node verify.mjs
    node samples/run.mjs

Python 3.10 or later:

    pip install -r requirements.txt
    python samples/run.py

Recorded with onnxruntime ${manifest.runtime.version}; older versions were not tried.

## Inputs and outputs

${ports(manifest.inputs)}

gives

${ports(manifest.outputs)}

\`manifest.json\` says how each input is prepared: decode, resize, crop, x·scale, (x − mean)/std, layout, reshape, in this order.

## Proof

\`verify.mjs\` (or \`lathe verify\` on this folder) checks every file's hash, loads the model, and compares its outputs with \`golden/\`:

${tolerances}

${facts.isGoldenFromData ? 'The golden inputs are samples of the dataset it was measured on.' : 'The golden inputs are seeded noise: they prove the arithmetic, not the task.'}

## Install and take back

Copy the folder beside the old one and switch over; to take it back, switch to the old folder. Nothing outside the folder is used.

## Licences

${facts.licences.length > 0 ? `Found beside the model: ${facts.licences.map((path) => `\`${path}\``).join(', ')}.` : 'No licence was found beside the model; ask whoever gave it to you.'}${facts.statedLicence ? ` The model's own metadata says: ${facts.statedLicence}.` : ''}
The samples and the verifier are Lathe's, under Apache-2.0.
`;
}
