// What lies beside a model that keeps its adapters apart: a PEFT folder with what was learnt, and the same model with adapters as inputs.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Adapter, AdapterSet } from '../contract/words/adapter';
import { open as openOnnx, write } from './formats/onnx';
import { type NamedTensor, writeSafetensors } from './formats/safetensors/write';
import { intsAttribute, makeNode } from './graph/edit';
import type { Dim, Model, Node, Value } from './graph/graph';
import { readFloats } from './graph/tensor';
import { adaptersIn, tensorOf } from './methods/cutting/adapters';

export const adapterFiles = {
  config: 'adapter/adapter_config.json',
  weights: 'adapter/adapter_model.safetensors',
  inputs: 'adapter-inputs.onnx',
} as const;

/** Writes them into `folder`, where the model is `modelFile` already; answers their paths in it. None where the model has no adapters. */
export async function writeAdapters(model: Model, folder: string, modelFile: string): Promise<string[]> {
  const set = adaptersIn(model);
  if (!set) return [];
  const { config, weights, inputs } = adapterFiles;
  await mkdir(join(folder, 'adapter'), { recursive: true });
  await writeFile(join(folder, config), `${JSON.stringify(peftConfig(model, set), null, 2)}\n`);
  await writeSafetensors(join(folder, weights), await peftTensors(model, set), { format: 'pt' });
  if (hasMagnitude(set)) return [config, weights];
  // Read back, its weights are stretches of the file just written: the second model names them there and repeats none.
  const { model: written } = await openOnnx(join(folder, modelFile));
  await write(withAdapterInputs(written, set), { folder, file: inputs, external: 'in-place' });
  return [config, weights, inputs];
}

/** The lengths of DoRA's channels hang together with the base's weights: such adapters are not exchanged without it. */
export const hasMagnitude = ({ adapters }: AdapterSet): boolean => adapters.some((one) => one.magnitude !== undefined);

/** Names as PEFT's `save_pretrained` writes them; its linear layers hold A as rank × inputs and B as outputs × rank. */
const peftName = ({ module }: Adapter, part: string): string => `base_model.model.${module}.${part}`;
const nameOfA = (one: Adapter): string => peftName(one, 'lora_A.weight');
const nameOfB = (one: Adapter): string => peftName(one, 'lora_B.weight');

async function peftTensors(model: Model, { adapters, rank }: AdapterSet): Promise<NamedTensor[]> {
  const tensors: NamedTensor[] = [];
  const floats = (name: string) => readFloats(tensorOf(model, name));
  for (const one of adapters) {
    const { inputs, outputs, magnitude } = one;
    tensors.push(float(nameOfA(one), [rank, inputs], turned(await floats(one.a), inputs, rank)));
    tensors.push(float(nameOfB(one), [outputs, rank], turned(await floats(one.b), rank, outputs)));
    if (magnitude) tensors.push(float(peftName(one, 'lora_magnitude_vector'), [outputs], await floats(magnitude)));
  }
  return tensors;
}

function float(name: string, dims: number[], { buffer, byteOffset, byteLength }: Float32Array): NamedTensor {
  return { name, dtype: 'float32', dims, bytes: new Uint8Array(buffer, byteOffset, byteLength) };
}

/** [rows][columns] → [columns][rows] */
function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(values, (_, at) => values[(at % rows) * columns + Math.floor(at / rows)]!);
}

function peftConfig(model: Model, set: AdapterSet): Record<string, unknown> {
  const { rank, alpha, rankStabilised, adapters } = set;
  return {
    peft_type: 'LORA',
    task_type: model.graph.outputs.some(({ name }) => name === 'logits') ? 'CAUSAL_LM' : null,
    base_model_name_or_path: null,
    inference_mode: true,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    target_modules: adapters.map(({ module }) => module),
    bias: 'none',
    fan_in_fan_out: false,
    init_lora_weights: true,
    use_rslora: rankStabilised,
    use_dora: hasMagnitude(set),
    modules_to_save: null,
    rank_pattern: {},
    alpha_pattern: {},
  };
}

/** A and B as PEFT stores them and the scaling become inputs: the tensors of an adapter file are its feeds, of any rank. */
function withAdapterInputs(model: Model, { adapters, scaling }: AdapterSet): Model {
  const { graph } = model;
  const initializers = new Map(graph.initializers);
  const inputs: Value[] = [...graph.inputs];
  const nodes: Node[] = [];
  const feed = (name: string, shape: readonly Dim[]): void => {
    inputs.push({ name, type: { kind: 'tensor', dtype: 'float32', shape } });
  };
  const turn = (name: string, stored: string, shape: readonly Dim[]): void => {
    feed(name, shape);
    initializers.delete(stored);
    nodes.push(makeNode('Transpose', [name], [stored], { attributes: { perm: intsAttribute([1, 0]) } }));
  };
  for (const one of adapters) {
    turn(nameOfA(one), one.a, ['rank', one.inputs]);
    turn(nameOfB(one), one.b, [one.outputs, 'rank']);
  }
  initializers.delete(scaling);
  feed(scaling, []);
  return { ...model, graph: { ...graph, inputs, initializers, nodes: [...nodes, ...graph.nodes] } };
}
