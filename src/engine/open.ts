// The corridor behind `models.open`: from a path to layers, from headers alone; and the sweep of statistics that follows.
import { statSync } from 'node:fs';
import type { Layer, ModelSummary, Port } from '../contract/words/model';
import { openFormat } from './formats';
import type { Model, Value } from './graph/graph';
import { constantBytes, type LayerSite } from './graph/layers';
import { normalise } from './graph/normalise';
import { everyNode } from './graph/walk';
import { openKernels } from './kernels';
import { weightStatistics } from './measure/weights';
import type { Subject } from './methods/method';
import { subjectOf } from './recipe-steps';
import type { OpenedModel, SeenFile, Tasks, Work } from './tasks';

/** A model as a corridor needs it: as it came, and in the one dialect that methods read. */
export interface Opened {
  readonly format: string;
  readonly files: readonly SeenFile[];
  readonly original: Model;
  readonly subject: Subject;
  readonly notes: readonly string[];
}

export async function openSubject(path: string): Promise<Opened> {
  const { format, model: original, files, notes } = await openFormat(path);
  const seen = files.map((file): SeenFile => {
    const { size, mtimeMs } = statSync(file);
    return { path: file, bytes: size, mtimeMs };
  });
  const { model, notes: changes } = await normalise(original);
  return { format, files: seen, original, subject: await subjectOf(model), notes: [...notes, ...changes] };
}

export async function openModel(ask: Tasks['open']['ask'], work: Work): Promise<Tasks['open']['answer']> {
  work.emit({ kind: 'doing', what: `opening ${ask.path}` });
  const opened = await openSubject(ask.path);
  const { files, subject } = opened;
  const answer: OpenedModel = {
    summary: summaryOf(opened),
    layers: subject.sites.map(layerOf),
    operators: operatorsOf(opened.original),
    notes: opened.notes,
    files,
  };
  return answer;
}

/** Every layer's statistics, in the order of the graph, each as an event; `skip` names those already known. */
export async function statistics(ask: Tasks['statistics']['ask'], work: Work): Promise<Tasks['statistics']['answer']> {
  work.emit({ kind: 'doing', what: `opening ${ask.path}` });
  const { subject } = await openSubject(ask.path);
  const skip = new Set(ask.skip ?? []);
  const sites = subject.sites.filter(({ name }) => !skip.has(name));
  const kernels = await openKernels();
  try {
    for (const [i, site] of sites.entries()) {
      work.signal.throwIfAborted();
      work.emit({ kind: 'doing', what: `layer ${site.name}` });
      const stats = await weightStatistics(kernels, site, work.signal);
      work.emit({ kind: 'layer', name: site.name, stats, done: i + 1, total: sites.length });
    }
  } finally {
    await kernels.close();
  }
  return { layers: sites.length };
}

export function layerOf(site: LayerSite): Layer {
  const { name, op, shape, tensor, parameters, bytes, macs, bits, tiedTo } = site;
  return {
    name,
    op,
    shape: [...shape],
    dtype: tensor.dtype,
    parameters,
    bytes,
    macs,
    bits,
    ...(tiedTo === undefined ? {} : { tiedTo }),
  };
}

function summaryOf(opened: Opened): ModelSummary {
  const { format, files, original, subject } = opened;
  const opset = original.opsets.get('');
  return {
    path: files[0]!.path,
    format,
    sha256: null,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    parameters: subject.sites.reduce((sum, site) => sum + site.parameters, 0),
    constantBytes: constantBytes(subject.model),
    ...(opset === undefined ? {} : { opset }),
    inputs: inputsOf(opened),
    outputs: original.graph.outputs.map(portOf),
  };
}

/** What must be fed. In old files the weights are listed among the inputs; they are not. */
export function inputsOf({ original: { graph } }: Opened): Port[] {
  return graph.inputs.filter(({ name }) => !graph.initializers.has(name)).map(portOf);
}

function portOf({ name, type }: Value): Port {
  if (type?.kind !== 'tensor') return { name, dtype: type ? 'other' : 'unknown', shape: [] };
  return { name, dtype: type.dtype ?? 'unknown', shape: [...(type.shape ?? [])] };
}

function operatorsOf(model: Model): OpenedModel['operators'] {
  const counts = new Map<string, number>();
  for (const { node } of everyNode(model)) {
    const op = node.domain === '' ? node.op : `${node.domain}:${node.op}`;
    counts.set(op, (counts.get(op) ?? 0) + 1);
  }
  return [...counts].map(([op, count]) => ({ op, count })).sort((a, b) => b.count - a.count || (a.op < b.op ? -1 : 1));
}
