// What a device profile is: one data sheet, every figure with its source and how sure it is.
import type { Device } from '../../contract/words/device';

export type { Device } from '../../contract/words/device';

/** Types a profile where it is written, so that a missing field shows there. */
export function defineDevice(device: Device): Device {
  return device;
}
