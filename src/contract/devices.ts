// Devices: the profiles, and whether a model fits one.
import { z } from 'zod';
import { procedure } from './procedure';
import { device, fitDocument } from './words/device';

export const devices = {
  list: procedure.output(z.array(device)),
  fit: procedure.input(z.object({ modelId: z.string(), deviceId: z.string() })).output(fitDocument),
};
