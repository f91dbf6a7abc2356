// The list of device profiles, and nothing else.
import type { Device } from './device';

export const devices: readonly Device[] = [];
