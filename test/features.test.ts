// FEATURES.md is generated from the lists; this test fails when the file and the lists part. `npm run features` writes it.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { devices } from '../src/engine/devices';
import { methods } from '../src/engine/methods';

const src = resolve(import.meta.dirname, '../src');
const folders = (path: string) =>
  readdirSync(join(src, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();

/** Every layer kind some method takes, most often taken first. */
function layerKinds(): string[] {
  const counts = new Map<string, number>();
  for (const { card } of methods) for (const op of card.ops) counts.set(op, (counts.get(op) ?? 0) + 1);
  return [...counts].sort(([a, n], [b, m]) => m - n || a.localeCompare(b)).map(([op]) => op);
}

function features(): string {
  const kinds = layerKinds();
  const rows = methods.map(
    ({ card }) =>
      `| \`${card.id}\` | ${card.family} | ${kinds.map((op) => (card.ops.includes(op as never) ? 'yes' : 'refused')).join(' | ')} |`,
  );
  return [
    '# Features',
    '',
    'Generated from the lists by `npm run features`; a test compares. *refused*: the layer is listed with the reason and the mend, never skipped.',
    '',
    '## Methods and the layers they take',
    '',
    `| method | family | ${kinds.join(' | ')} |`,
    `|---|---|${kinds.map(() => '---').join('|')}|`,
    ...rows,
    '',
    '## Parameters',
    '',
    ...methods.flatMap(({ card }) => [
      `**\`${card.id}\`** ${card.help}`,
      '',
      ...card.params.map((parameter) => {
        const values =
          parameter.kind === 'choice'
            ? parameter.choices.map((choice) => choice.value).join(', ')
            : parameter.kind === 'number'
              ? `${parameter.min}–${parameter.max}`
              : 'true, false';
        return `- \`${parameter.id}\`: ${values} (default ${parameter.default})`;
      }),
      '',
    ]),
    '## Formats',
    '',
    '| format | in | out |',
    '|---|---|---|',
    ...folders('engine/formats').map((format) => `| ${format} | yes | yes |`),
    '',
    '## Devices',
    '',
    '| device | title | runtimes |',
    '|---|---|---|',
    ...devices.map((device) => `| \`${device.id}\` | ${device.title} | ${device.runtimes.join(', ')} |`),
    '',
  ].join('\n');
}

it('FEATURES.md says what the lists say', async () => {
  await expect(features()).toMatchFileSnapshot('../FEATURES.md');
});
