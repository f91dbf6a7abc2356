// Where the window was: kept between starts, and only used where a screen still shows it.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

export const leastWindow = { width: 1024, height: 680 };
const firstWindow = { width: 1440, height: 900 };
/** The part of the window that must lie on a screen to be grabbed. */
const grip = { width: 160, height: 40 };

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const windowState = z.object({
  bounds: z.object({ x: z.int(), y: z.int(), width: z.int().positive(), height: z.int().positive() }),
  maximized: z.boolean(),
});
export type WindowState = z.infer<typeof windowState>;

export interface Placement {
  readonly x?: number;
  readonly y?: number;
  readonly width: number;
  readonly height: number;
  readonly maximized: boolean;
}

/** `areas`: what the screens have free of panels and docks. */
export function placeWindow(saved: WindowState | null, areas: readonly Rectangle[]): Placement {
  const primary = areas[0] ?? { x: 0, y: 0, ...firstWindow };
  const within = (size: { width: number; height: number }, area: Rectangle) => ({
    width: Math.max(leastWindow.width, Math.min(size.width, area.width)),
    height: Math.max(leastWindow.height, Math.min(size.height, area.height)),
  });
  if (saved === null) return { ...within(firstWindow, primary), maximized: false };
  const screen = areas.find((area) => showsGrip(saved.bounds, area));
  if (!screen) return { ...within(saved.bounds, primary), maximized: saved.maximized };
  return { x: saved.bounds.x, y: saved.bounds.y, ...within(saved.bounds, screen), maximized: saved.maximized };
}

/** Enough of the title bar lies on the screen. */
function showsGrip(window: Rectangle, area: Rectangle): boolean {
  const shown = Math.min(window.x + window.width, area.x + area.width) - Math.max(window.x, area.x);
  return shown >= grip.width && window.y >= area.y && window.y + grip.height <= area.y + area.height;
}

export function readWindowState(path: string): WindowState | null {
  try {
    return windowState.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // The first start, or not ours any more: the window opens where windows open.
    return null;
  }
}

export function writeWindowState(path: string, state: WindowState): void {
  try {
    writeFileSync(`${path}.new`, JSON.stringify(state));
    renameSync(`${path}.new`, path);
  } catch {
    // A full disk does not keep the window from closing.
  }
}
