// `lathe fit`: does a model fit a device.
import { type CommandSpec, named } from '../command';
import { sizeText } from '../print';
import { openModel } from '../subjects';

export const fit: CommandSpec = {
  name: 'fit <model>',
  help: 'tells whether a model fits a device',
  options: [{ flags: '--device <id>', help: 'an id of `lathe devices`', parse: named, required: true }],
  async run(session, [given = ''], { device }) {
    const client = await session.client();
    const model = await openModel(client, given);
    const document = await client.devices.fit({ modelId: model.id, deviceId: String(device) });
    const { weights, activations, kvCache, runtime, total } = document.footprint;
    const parts = `weights ${sizeText(weights)}, activations ${sizeText(activations)}, cache ${sizeText(kvCache)}, runtime ${sizeText(runtime)}`;
    const text = `${document.sentence}\n${sizeText(total)} of ${sizeText(document.usableBytes)}: ${parts}`;
    return { document, text, no: document.fits === 'no' };
  },
};
