// `lathe devices`: the profiles, each figure with its source and how sure it is.
import type { CommandSpec } from '../command';
import { numberText, sizeText } from '../print';

export const devices: CommandSpec = {
  name: 'devices',
  help: 'the device profiles and their figures',
  async run(session) {
    const profiles = await (await session.client()).devices.list();
    const text = profiles.map((device) =>
      [
        `${device.id}  ${device.title}, ${sizeText(device.memoryBytes)} of memory, ${device.runtimes.join(', ')}`,
        ...device.figures.map(
          ({ name, value, unit, certainty, source }) =>
            `    ${name}: ${value === null ? 'not known' : `${numberText(value)} ${unit}`} (${certainty}; ${source})`,
        ),
      ].join('\n'),
    );
    return { document: { devices: profiles }, text: text.join('\n\n') };
  },
};
