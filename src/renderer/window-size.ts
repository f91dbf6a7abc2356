// The sizes of window that change the layout.
import { useMediaQuery } from '@mantine/hooks';

/** 1024–1279: side panels become drawers. */
export const useNarrow = (): boolean => useMediaQuery('(max-width: 1279px)', false, { getInitialValueInEffect: false });
/** Below the 1440 of the pictures: tables leave out what matters least. */
export const useTight = (): boolean => useMediaQuery('(max-width: 1419px)', false, { getInitialValueInEffect: false });
/** Height below 800: treemap 180, learning chart 260, JSON closed. */
export const useLow = (): boolean => useMediaQuery('(max-height: 799px)', false, { getInitialValueInEffect: false });
/** 1920 and up: a third column. */
export const useWide = (): boolean => useMediaQuery('(min-width: 1900px)', false, { getInitialValueInEffect: false });
