// The list of device profiles, and nothing else.
import type { Device } from './device';
import { genericLaptop } from './generic-laptop';
import { raspberryPi5 } from './raspberry-pi-5';

export const devices = [raspberryPi5, genericLaptop] as const satisfies readonly Device[];
