// Settings that outlive this window's own storage: a served workbench has another port, and so another storage, at every start.
import { type MantineColorScheme, useMantineColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { api, orpc } from './api';
import { singleKeys } from './keys';

const schemes: readonly string[] = ['auto', 'light', 'dark'];

/** Takes over what the workspace remembers, once; call it in the shell. */
export function useKeptSettings(): void {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { data } = useQuery(orpc.host.settings.queryOptions({ staleTime: Number.POSITIVE_INFINITY }));
  const taken = useRef(false);
  useEffect(() => {
    if (!data || taken.current) return;
    taken.current = true;
    const { scheme, 'single-keys': keys } = data;
    if (scheme && schemes.includes(scheme) && scheme !== colorScheme) setColorScheme(scheme as MantineColorScheme);
    if (keys) singleKeys.set(keys === 'on');
  }, [data, colorScheme, setColorScheme]);
}

/** Remembers a setting with the workspace. That it may fail costs nothing: this window keeps it, too. */
export const keepSetting = (key: 'scheme' | 'single-keys', value: string): void => {
  api.host.setSetting({ key, value }).catch(() => undefined);
};
