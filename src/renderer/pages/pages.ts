// The pages, in the order of the work. A page is a folder here; it is loaded when first opened.
import {
  IconAdjustmentsHorizontal,
  IconBooks,
  IconChartDots,
  IconCpu2,
  IconGitBranch,
  IconProgress,
  IconSettings,
  IconZoomScan,
  type TablerIcon,
} from '@tabler/icons-react';
import { type ComponentType, type LazyExoticComponent, lazy } from 'react';

export interface Page {
  id: string;
  path: string;
  title: string;
  icon: TablerIcon;
  /** The letter after G. */
  key: string;
  /** Works on the open model: the context bar shows it. */
  ofModel: boolean;
  /** At the foot of the rail. */
  foot?: boolean;
  Page: LazyExoticComponent<ComponentType>;
}

export const pages = [
  {
    id: 'library',
    path: '/',
    title: 'Library',
    icon: IconBooks,
    key: 'l',
    ofModel: false,
    Page: lazy(() => import('./library')),
  },
  {
    id: 'inspect',
    path: '/inspect',
    title: 'Inspect',
    icon: IconZoomScan,
    key: 'i',
    ofModel: true,
    Page: lazy(() => import('./inspect')),
  },
  {
    id: 'recipe',
    path: '/recipe',
    title: 'Recipe',
    icon: IconAdjustmentsHorizontal,
    key: 'r',
    ofModel: true,
    Page: lazy(() => import('./recipe')),
  },
  {
    id: 'runs',
    path: '/runs',
    title: 'Runs',
    icon: IconProgress,
    key: 'u',
    ofModel: true,
    Page: lazy(() => import('./runs')),
  },
  {
    id: 'compare',
    path: '/compare',
    title: 'Compare',
    icon: IconChartDots,
    key: 'c',
    ofModel: true,
    Page: lazy(() => import('./compare')),
  },
  {
    id: 'deploy',
    path: '/deploy',
    title: 'Deploy',
    icon: IconCpu2,
    key: 'd',
    ofModel: true,
    Page: lazy(() => import('./deploy')),
  },
  {
    id: 'history',
    path: '/history',
    title: 'History',
    icon: IconGitBranch,
    key: 'h',
    ofModel: true,
    Page: lazy(() => import('./history')),
  },
  {
    id: 'settings',
    path: '/settings',
    title: 'Settings',
    icon: IconSettings,
    key: 's',
    ofModel: false,
    foot: true,
    Page: lazy(() => import('./settings')),
  },
] as const satisfies readonly Page[];

export const allPages: readonly Page[] = pages;
