// Treemap of bytes: area is bytes, the colour is chosen by the page. Tile = row = node = right panel.
import { useMemo } from 'react';
import { Treemap as RechartsTreemap, Tooltip } from 'recharts';
import { fitName } from '../fit-name';
import { bytes, percent, plural } from '../format';
import { tip } from './axes';
import { Chart, ChartTip } from './chart';
import { type DrawnTile, drawnTiles, type Tile } from './tiles';

export interface TreemapProps {
  tiles: readonly Tile[];
  selected: readonly string[];
  hovered: string | null;
  onSelect(name: string, keys: { add: boolean; extend: boolean }): void;
  onHover(name: string | null): void;
  height?: number;
}

interface Placed extends DrawnTile {
  x: number;
  y: number;
  width: number;
  height: number;
  depth: number;
}

export function Treemap({ tiles, selected, hovered, onSelect, onHover, height }: TreemapProps) {
  const data = useMemo(() => drawnTiles(tiles).sort((one, other) => other.size - one.size), [tiles]);
  const chosen = useMemo(() => new Set(selected), [selected]);
  const total = tiles.reduce((sum, tile) => sum + tile.bytes, 0) || 1;
  const largest = tiles.reduce<Tile | null>((most, tile) => (most && most.bytes >= tile.bytes ? most : tile), null);
  return (
    <Chart
      height={height}
      summary={
        largest
          ? `${plural(tiles.length, 'layer')} by bytes; the largest is ${largest.name} with ${percent(largest.bytes / total, 0)}.`
          : 'No layers.'
      }
      table={() => ({
        heads: ['Layer', 'Bytes', 'Share'],
        rows: [...tiles]
          .sort((one, other) => other.bytes - one.bytes)
          .map((tile) => [tile.name, bytes(tile.bytes), percent(tile.bytes / total)]),
      })}
    >
      {(width, high) => (
        <RechartsTreemap
          width={width}
          height={high}
          data={data}
          dataKey="size"
          nameKey="name"
          isAnimationActive={false}
          aspectRatio={1.3}
          content={(node) => (
            <TileShape
              tile={node as unknown as Placed}
              selected={chosen.has(node.name)}
              hovered={hovered === node.name}
              onSelect={onSelect}
              onHover={onHover}
            />
          )}
        >
          <Tooltip
            {...tip}
            content={({ active, payload }) => {
              const tile = payload?.[0]?.payload as DrawnTile | undefined;
              if (!active || !tile?.name) return null;
              return (
                <ChartTip name={tile.name} mono>
                  <div>
                    {bytes(tile.bytes)}, {percent(tile.bytes / total, 1)} of the bytes
                  </div>
                  {tile.lines.slice(1).map((line) => (
                    <div key={line}>{line}</div>
                  ))}
                  {tile.enlarged ? <div>Drawn larger than it is, to be seen.</div> : null}
                </ChartTip>
              );
            }}
          />
        </RechartsTreemap>
      )}
    </Chart>
  );
}

interface TileShapeProps {
  tile: Placed;
  selected: boolean;
  hovered: boolean;
  onSelect: TreemapProps['onSelect'];
  onHover: TreemapProps['onHover'];
}

function TileShape({ tile, selected, hovered, onSelect, onHover }: TileShapeProps) {
  if (tile.depth !== 1) return null;
  const { x, y, width, height } = tile;
  const roomy = width > 84 && height > 34;
  const small = !roomy && width > 40 && height > 17;
  const name = roomy ? fitName(tile.name, width - 14) : small ? fitName(tile.name, width - 8, 6.2) : null;
  const lines = roomy && width > 92 ? tile.lines.slice(0, Math.max(0, Math.floor((height - 24) / 15))) : [];
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a second way for the pointer; the rows of the table are the keyboard's
    <g
      style={{ cursor: 'pointer' }}
      data-tile={tile.name}
      onClick={(event) => onSelect(tile.name, { add: event.ctrlKey || event.metaKey, extend: event.shiftKey })}
      onMouseEnter={() => onHover(tile.name)}
      onMouseLeave={() => onHover(null)}
    >
      <rect
        x={x + 0.75}
        y={y + 0.75}
        width={Math.max(1, width - 1.5)}
        height={Math.max(1, height - 1.5)}
        rx="1"
        fill={tile.fill}
      />
      {name ? (
        <text
          className="mono"
          x={x + (roomy ? 8 : 5)}
          y={y + (roomy ? 18 : 13)}
          fontSize={roomy ? 11.5 : 10}
          fill={tile.ink}
          style={{ pointerEvents: 'none' }}
        >
          {name}
        </text>
      ) : null}
      {lines.map((line, at) => (
        <text
          key={line}
          x={x + 8}
          y={y + (name ? 33 : 18) + at * 15}
          fontSize="11"
          fill={tile.ink}
          style={{ pointerEvents: 'none' }}
        >
          {line}
        </text>
      ))}
      {selected ? (
        <g fill="none" style={{ pointerEvents: 'none' }}>
          <rect
            x={x + 1}
            y={y + 1}
            width={Math.max(1, width - 2)}
            height={Math.max(1, height - 2)}
            stroke="var(--l-accent)"
            strokeWidth="2.5"
          />
          <rect
            x={x + 3}
            y={y + 3}
            width={Math.max(0, width - 6)}
            height={Math.max(0, height - 6)}
            stroke="var(--l-surface)"
            strokeWidth="1.2"
          />
        </g>
      ) : hovered ? (
        <rect
          x={x + 1.5}
          y={y + 1.5}
          width={Math.max(1, width - 3)}
          height={Math.max(1, height - 3)}
          fill="none"
          stroke="var(--l-ink)"
          strokeWidth="1.2"
          style={{ pointerEvents: 'none' }}
        />
      ) : null}
    </g>
  );
}
