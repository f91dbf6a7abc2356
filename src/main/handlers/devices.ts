// Devices: the profiles, and whether a model fits one.
import { refuse } from '../../contract/words/refusal';
import { api } from './implement';

export const devices = {
  list: api.devices.list.handler(async ({ context }) => [...(await context.describe()).devices]),

  fit: api.devices.fit.handler(async ({ context, input }) => {
    const model = context.library.models.get(input.modelId);
    const { devices: known } = await context.describe();
    if (!known.some((device) => device.id === input.deviceId))
      refuse('not-found', `There is no device ${input.deviceId}.`);
    return context.desk.ask('fit', { path: model.files[0]!.path, device: input.deviceId, name: model.name });
  }),
};
