// The cut: a model as a workpiece on its centre line. The outline is the stock, the solid what remains, the hatch what was removed.
import { type MouseEvent, memo, type ReactNode, useId, useMemo } from 'react';
import { precisionOf } from '../precision';
import look from './cut.module.css';
import { type CutFrame, type CutGeometry, type CutLayer, cutGeometry, segmentAt } from './geometry';
import { cutSentence } from './sentence';

/** The sizes in use: context bar, tray and history, library, run, hero. */
export const cutSizes = {
  bar: [112, 26],
  row: [132, 20],
  library: [200, 34],
  panel: [228, 34],
  side: [346, 48],
  hero: [576, 82],
} as const satisfies Record<string, readonly [number, number]>;

export interface CutProps extends Partial<CutFrame> {
  layers: readonly CutLayer[];
  size?: keyof typeof cutSizes;
  /** Names of the selected layers. */
  selected?: readonly string[];
  hovered?: string | null;
  onSelect?: (name: string, keys: { add: boolean; extend: boolean }) => void;
  onHover?: (name: string | null) => void;
  /** Layers already turned, of a run under way: those to the right are still stock. */
  turned?: number;
  /** The one flourish: on a finished run the new diameter settles. */
  settle?: boolean;
  /** Drawn over the workpiece, in its coordinates. */
  children?: (geometry: CutGeometry) => ReactNode;
  /** Draw the hatch of what was removed. */
  hatch?: boolean;
  /** Said of the bytes: *15 % of the bytes*. */
  bytesShare?: number | null;
}

const decorative = 3;

export const Cut = memo(function Cut(props: CutProps) {
  const { layers, size = 'panel', stock, selected = [], hovered, onSelect, onHover, turned, settle } = props;
  const [standardWidth, standardHeight] = cutSizes[size];
  const width = props.width ?? standardWidth;
  const height = props.height ?? standardHeight;
  const hatch = useId();
  const geometry = useMemo(() => cutGeometry(layers, { width, height, stock }), [layers, width, height, stock]);
  const chosen = useMemo(() => new Set(selected), [selected]);
  const words = useMemo(() => cutSentence(layers, props.bytesShare ?? null), [layers, props.bytesShare]);
  const removed =
    (props.hatch ?? true) && geometry.segments.some((segment) => segment.height < geometry.stock.height - 0.5);
  const short = (geometry.segments.at(-1)?.x ?? 0) + (geometry.segments.at(-1)?.width ?? 0) < width - 0.5;

  const under = (event: MouseEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const name = segmentAt(geometry, ((event.clientX - box.left) / box.width) * width)?.names[0];
    return name ?? null;
  };

  let layerIndex = 0;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a second way for the pointer; the rows beside it are the keyboard's
    <svg
      className={look.cut}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={words}
      data-clickable={onSelect ? true : undefined}
      onClick={
        onSelect &&
        ((event) => {
          const name = under(event);
          if (name) onSelect(name, { add: event.ctrlKey || event.metaKey, extend: event.shiftKey });
        })
      }
      onMouseMove={onHover && ((event) => onHover(under(event)))}
      onMouseLeave={onHover && (() => onHover(null))}
    >
      <defs>
        <pattern id={hatch} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <line x1="0" y1="0" x2="0" y2="5" stroke="var(--l-strong)" strokeWidth=".7" />
        </pattern>
        <pattern id={`${hatch}s`} width="3" height="4" patternUnits="userSpaceOnUse">
          <rect width="1" height="4" fill="var(--l-surface)" opacity=".8" />
        </pattern>
      </defs>
      <rect
        x=".5"
        y={geometry.stock.y}
        width={width - 1}
        height={geometry.stock.height}
        fill={removed || short ? `url(#${hatch})` : 'none'}
        stroke="var(--l-strong)"
        opacity=".9"
      />
      <g className={settle ? look.settle : undefined}>
        {geometry.segments.map((segment) => {
          const first = layerIndex;
          layerIndex += segment.names.length;
          const cut = turned === undefined || first < turned;
          const y = cut ? segment.y : geometry.stock.y;
          const high = cut ? segment.height : geometry.stock.height;
          const name = segment.names[0] ?? '';
          return (
            <g key={name}>
              <rect
                x={segment.x}
                y={y}
                width={segment.width}
                height={high}
                fill={`var(--l-${cut ? precisionOf(segment.bits) : 'fp32'})`}
                opacity={cut ? 1 : 0.55}
              >
                {onHover || onSelect ? (
                  <title>{segment.names.length > 1 ? `${name} and ${segment.names.length - 1} more` : name}</title>
                ) : null}
              </rect>
              {segment.sparsity > 0 ? (
                <rect
                  x={segment.x}
                  y={y}
                  width={segment.width * segment.sparsity}
                  height={high}
                  fill={`url(#${hatch}s)`}
                />
              ) : null}
              {segment.width > decorative ? (
                <rect
                  x={segment.x + segment.width - 0.6}
                  y={y}
                  width=".6"
                  height={high}
                  fill="var(--l-surface)"
                  opacity=".7"
                />
              ) : null}
            </g>
          );
        })}
      </g>
      {turned !== undefined && turned < layers.length ? <ToolPoint geometry={geometry} turned={turned} /> : null}
      {geometry.segments
        .filter((segment) => segment.names.some((name) => chosen.has(name) || name === hovered))
        .map((segment) => (
          <rect
            key={segment.names[0]}
            x={segment.x - 1}
            y="0"
            width={segment.width + 2}
            height={height}
            fill="none"
            stroke={segment.names.some((name) => chosen.has(name)) ? 'var(--l-accent)' : 'var(--l-accent-line)'}
            strokeWidth="1.5"
          />
        ))}
      <line
        x1="-6"
        x2={width + 6}
        y1={geometry.middle}
        y2={geometry.middle}
        stroke="var(--l-ink)"
        strokeWidth=".6"
        strokeDasharray="9 2.5 1.5 2.5"
        opacity=".55"
      />
      {props.children?.(geometry)}
    </svg>
  );
});

/** Where the tool stands, over the first layer that is still stock. */
function ToolPoint({ geometry, turned }: { geometry: CutGeometry; turned: number }) {
  let seen = 0;
  const next = geometry.segments.find((segment) => (seen += segment.names.length) > turned);
  const x = next?.x ?? 0;
  return <path d={`M${x - 5} -3h10l-5 9z`} fill="var(--l-accent)" />;
}
