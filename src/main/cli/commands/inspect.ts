// `lathe inspect`: the layers of a model and what their weights look like.
import type { InspectDocument } from '../../../contract/words/model';
import type { CommandSpec } from '../command';
import { countText, numberText, shapeText, sizeText, table } from '../print';
import { openModel } from '../subjects';

export const inspect: CommandSpec = {
  name: 'inspect <model>',
  help: 'layers and statistics of a model',
  options: [{ flags: '--no-stats', help: 'answers from headers alone' }],
  async run(session, [given = ''], options) {
    const client = await session.client();
    const model = await openModel(client, given);
    const document = await client.models.document({ id: model.id, stats: options.stats !== false });
    return { document, text: toText(document, model.notes) };
  },
};

function toText({ model, layers }: InspectDocument, notes: readonly string[]): string {
  const head = `${model.path}\n${model.format}, ${sizeText(model.bytes)}, ${countText(model.parameters)} parameters in ${layers.length} layers`;
  const rows = layers.map((layer) => [
    layer.name,
    layer.op,
    shapeText(layer.shape),
    layer.dtype,
    sizeText(layer.bytes),
    layer.macs === null ? '–' : countText(layer.macs),
    ...(layer.stats
      ? [numberText(layer.stats.std), numberText(layer.stats.absMax), numberText(layer.stats.kurtosis)]
      : []),
  ]);
  const stats = layers.some((layer) => layer.stats) ? ['std ', '|max| ', 'kurtosis '] : [];
  return [head, '', table(['layer', 'op', 'shape', 'dtype', 'bytes ', 'MACs ', ...stats], rows), ...said(notes)].join(
    '\n',
  );
}

const said = (notes: readonly string[]) => (notes.length === 0 ? [] : ['', ...notes]);
