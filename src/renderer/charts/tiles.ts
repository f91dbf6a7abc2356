// Tiles of a treemap: how large they are drawn.

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
