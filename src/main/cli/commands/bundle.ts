// `lathe bundle`: a folder or zip for one device, with the proof that it runs.
import { resolve } from 'node:path';
import { type CommandSpec, named } from '../command';
import { numberText, sizeText, table } from '../print';
import { openModel } from '../subjects';

export const bundle: CommandSpec = {
  name: 'bundle <run-or-model>',
  help: 'makes a bundle for a device',
  options: [
    { flags: '--device <id>', help: 'an id of `lathe devices`', parse: named, required: true },
    { flags: '--out <dir>', help: 'the folder to make; must not exist', parse: named, required: true },
    { flags: '--zip', help: 'writes DIR.zip as well' },
  ],
  async run(session, [given = ''], { device, out, zip }) {
    const client = await session.client();
    const model = await openModel(client, given);
    const document = await client.bundles.export({
      modelId: model.id,
      deviceId: String(device),
      out: resolve(String(out)),
      zip: zip === true,
    });
    const rows = document.bundle.files.map((file) => [file.path, sizeText(file.bytes)]);
    const { zip: packed } = document.bundle;
    const whole = document.bundle.files.reduce((sum, file) => sum + file.bytes, 0);
    const share = packed
      ? `\n${packed.path} ${sizeText(packed.bytes)}, ${numberText((100 * packed.bytes) / whole)} % of the folder`
      : '';
    return { document, text: `${document.bundle.path}\n\n${table(['file', 'bytes '], rows)}${share}` };
  },
};
