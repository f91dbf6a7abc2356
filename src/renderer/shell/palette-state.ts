// Opens and closes the palette from anywhere.
import { createSpotlight } from '@mantine/spotlight';

export const [paletteStore, paletteActions] = createSpotlight();
export const openPalette = (): void => paletteActions.open();
