// Tiles of a treemap: how large they are drawn and how their names are shortened.

/** Smaller tiles are drawn at this share of the whole, and the tooltip says so. */
export const leastShare = 0.0016;

export interface Tile {
  name: string;
  bytes: number;
  fill: string;
  /** Text that is readable on the fill. */
  ink: string;
  /** Lines under the name, most important first. */
  lines: readonly string[];
}

export interface DrawnTile extends Tile {
  /** What the area is made of. */
  size: number;
  /** Drawn larger than it is. */
  enlarged: boolean;
  /** recharts lets data carry anything. */
  [key: string]: unknown;
}

export function drawnTiles(tiles: readonly Tile[]): DrawnTile[] {
  const total = tiles.reduce((sum, tile) => sum + tile.bytes, 0) || 1;
  const least = total * leastShare;
  return tiles.map((tile) => ({ ...tile, size: Math.max(tile.bytes, least), enlarged: tile.bytes < least }));
}

/** Width of one mono character at 11.5 px. */
const characterPx = 7.1;

/** Fewer characters than this tell nothing. */
const leastTail = 6;

/** The name as far as it fits, shortened from the left: the end tells layers apart. Null where nothing sensible fits. */
export function fitName(name: string, widthPx: number, character = characterPx): string | null {
  const room = Math.floor(widthPx / character);
  if (name.length <= room) return name;
  const tail = name.slice(-Math.max(0, room - 1));
  // Begin at a part of the name where one begins in sight; a torn word only where much of it is left.
  const part = tail.search(/[./_]/);
  const clean = part >= 0 && part < tail.length - 3 ? tail.slice(part + 1) : tail;
  const whole = name.at(-clean.length - 1) === '.' || name.at(-clean.length - 1) === '/';
  return clean.length >= (whole ? 4 : leastTail) && room > 4 ? `…${clean}` : null;
}
