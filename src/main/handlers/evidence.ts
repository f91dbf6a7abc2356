// Evidence: everything that was measured about the model of a bundle, from history, as `evidence.json` carries it.
import type { Machine, RunRow } from '../../contract/words/run';
import type { ModelRecord } from '../history/models';

export function evidenceOf(model: ModelRecord, run: RunRow | null, machine: Machine): Record<string, unknown> {
  const document = run?.document;
  if (!run || !document) {
    return { lathe: 1, model: { name: model.name, sha256: model.sha256 }, quality: null, exportedOn: machine };
  }
  const { baseline, compressed, layers, fused } = document;
  return {
    lathe: 1,
    model: { name: model.name, sha256: document.artifact.sha256, bytes: document.artifact.bytes },
    parent: { name: run.model, sha256: document.run.modelSha256 },
    run: {
      id: run.id,
      number: run.number,
      createdAt: run.createdAt,
      finishedAt: run.finishedAt,
      seed: run.seed,
      lathe: document.run.lathe,
    },
    dataset: document.run.dataset ?? null,
    quality: { before: baseline?.quality ?? null, after: compressed?.quality ?? null },
    agreement: document.agreement ?? null,
    latencyMs: { measured: { before: baseline?.latencyMs ?? null, after: compressed?.latencyMs ?? null } },
    bytes: { before: baseline?.bytes ?? null, after: document.artifact.bytes },
    fused,
    kept: layers
      .filter((layer) => layer.refusal)
      .map(({ name, refusal }) => ({ layer: name, code: refusal!.code, why: refusal!.sentence })),
    untouched: layers.filter((layer) => layer.methods.length === 0 && !layer.refusal).map((layer) => layer.name),
    notes: document.notes,
    measuredOn: document.run.machine,
    exportedOn: machine,
  };
}
