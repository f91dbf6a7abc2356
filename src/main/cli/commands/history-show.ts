// `lathe history show`: what `run` or `evaluate` printed.
import type { CommandSpec } from '../command';
import { evaluationText } from './evaluate';
import { runText } from './run';

export const historyShow: CommandSpec = {
  name: 'history show <id>',
  help: 'what the run printed',
  async run(session, [id = '']) {
    const client = await session.client();
    const row = await client.runs.get({ id });
    if (row.kind === 'evaluate') {
      const document = await client.runs.evaluation({ id: row.id });
      return { document, text: evaluationText(document) };
    }
    const document = await client.runs.document({ id: row.id });
    return { document, text: runText(document) };
  },
};
