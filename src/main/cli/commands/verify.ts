// `lathe verify`: proves a bundle: its hashes, its model, its golden outputs.
import { resolve } from 'node:path';
import type { CommandSpec } from '../command';
import { table } from '../print';

export const verify: CommandSpec = {
  name: 'verify <bundle>',
  help: 'proves that a bundle is whole and gives its golden outputs',
  async run(session, [given = '']) {
    const document = await (await session.client()).bundles.verify({ path: resolve(given) });
    const rows = document.checks.map((check) => [check.ok ? 'ok' : 'NO', check.name, check.detail]);
    const text = `${document.ok ? 'The bundle is sound.' : 'The bundle is not sound.'}\n\n${table(['', 'check', 'detail'], rows)}`;
    return { document, text, no: !document.ok };
  },
};
