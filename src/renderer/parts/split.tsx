// Split: two columns with a draggable, remembered splitter between them. Below 1280 px the side may become a drawer over the right edge.
import { ActionIcon } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { type KeyboardEvent, type PointerEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { remembered } from '../remembered';
import { useNarrow } from '../window-size';
import look from './split.module.css';

export interface SplitProps {
  /** Remembered under this name, per page. */
  id: string;
  /** Which column keeps its size when the window grows. */
  fixed: 'start' | 'end';
  /** Width of the fixed column: px, or a share of the whole below 1. */
  size: number;
  /** Least widths, px. */
  min?: { start?: number; end?: number };
  start: ReactNode;
  end: ReactNode;
  /** In narrow windows the end column is a drawer, open while this says so. */
  drawer?: { open: boolean; onClose(): void; label: string };
}

const keyStep = 16;

export function Split({ id, fixed, size, min, start, end, drawer }: SplitProps) {
  const narrow = useNarrow() && drawer !== undefined;
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState<number>(() => remembered.number(`split.${id}`) ?? size);
  const [whole, setWhole] = useState(0);

  useEffect(() => {
    const box = frame.current;
    if (!box) return;
    const observer = new ResizeObserver(([entry]) => setWhole(entry?.contentRect.width ?? 0));
    observer.observe(box);
    return () => observer.disconnect();
  }, []);

  if (narrow)
    return (
      <div className={look.frame} ref={frame}>
        <div className={look.column} style={{ flex: 1 }}>
          {start}
        </div>
        <Drawer open={drawer.open} onClose={drawer.onClose} label={drawer.label}>
          {end}
        </Drawer>
      </div>
    );

  const asPixels = (value: number) => (value < 1 ? value * whole : value);
  const least = fixed === 'start' ? (min?.start ?? 220) : (min?.end ?? 220);
  const rest = fixed === 'start' ? (min?.end ?? 320) : (min?.start ?? 320);
  const clamp = (pixels: number) => Math.max(least, Math.min(pixels, whole - rest - 10));
  const pixels = whole > 0 ? clamp(asPixels(width)) : null;

  const keep = (next: number) => {
    const value = size < 1 ? clamp(next) / whole : Math.round(clamp(next));
    setWidth(value);
    remembered.set(`split.${id}`, String(value));
  };
  const drag = (event: PointerEvent<HTMLElement>) => {
    const box = frame.current?.getBoundingClientRect();
    if (!box || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
    keep(fixed === 'start' ? event.clientX - box.left - 5 : box.right - event.clientX - 5);
  };
  const walk = (event: KeyboardEvent) => {
    const wider = fixed === 'start' ? 'ArrowRight' : 'ArrowLeft';
    const slimmer = fixed === 'start' ? 'ArrowLeft' : 'ArrowRight';
    if (event.key === wider) keep((pixels ?? 0) + keyStep);
    else if (event.key === slimmer) keep((pixels ?? 0) - keyStep);
    else if (event.key === 'Home') keep(asPixels(size));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const style = { width: pixels ?? (size < 1 ? `${size * 100}%` : size), flex: 'none' };
  return (
    <div className={look.frame} ref={frame}>
      <div className={look.column} style={fixed === 'start' ? style : { flex: 1 }}>
        {start}
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a splitter one can drag is a separator with a value, which hr is not */}
      <div
        className={look.handle}
        role="separator"
        aria-orientation="vertical"
        aria-label="Width of the columns"
        aria-valuenow={whole > 0 ? Math.round(((pixels ?? 0) / whole) * 100) : 0}
        aria-valuemin={0}
        aria-valuemax={100}
        tabIndex={0}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={drag}
        onDoubleClick={() => keep(asPixels(size))}
        onKeyDown={walk}
      />
      <div className={look.column} style={fixed === 'end' ? style : { flex: 1 }}>
        {end}
      </div>
    </div>
  );
}

function Drawer({
  open,
  onClose,
  label,
  children,
}: {
  open: boolean;
  onClose(): void;
  label: string;
  children: ReactNode;
}) {
  useEffect(() => {
    if (!open) return;
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented) onClose();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [open, onClose]);
  if (!open) return null;
  return (
    <aside className={look.drawer} aria-label={label}>
      <ActionIcon className={look.close} aria-label="Close" onClick={onClose}>
        <IconX size={16} />
      </ActionIcon>
      {children}
    </aside>
  );
}
