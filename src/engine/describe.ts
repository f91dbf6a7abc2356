// The corridor behind `describe`: cards, devices and this machine, as the host keeps them for forms and validation.
import { devices } from './devices';
import { methods } from './methods';
import { cpuFeatures, onnxruntimeVersion, physicalCores } from './runtime/machine';
import type { Tasks, Work } from './tasks';

export async function describe(_ask: Tasks['describe']['ask'], _work: Work): Promise<Tasks['describe']['answer']> {
  return {
    methods: methods.map(({ card }) => card),
    devices,
    onnxruntime: onnxruntimeVersion(),
    cpuFeatures: cpuFeatures(),
    physicalCores: physicalCores(),
  };
}
