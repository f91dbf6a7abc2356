// The one component that prints a number which claims something about a model: it shows how the number was got.
import { Tooltip } from '@mantine/core';
import type { CSSProperties, ReactNode } from 'react';
import look from './figure.module.css';
import { Approx, EvidenceMark } from './glyphs';
import { speak } from './speak';

export type FigureSize = 'table' | 'body' | 'readout' | 'large' | 'hero';

export interface FigureLook {
  size?: FigureSize;
  /** Draw the mark in front; leave it to the column head where a whole column is of one kind. */
  mark?: boolean;
  /** How it was got: n, samples, threads, warm-up, date; or the basis of a prediction. */
  how?: ReactNode;
  /** Room kept for the number, in figures, so that nothing moves while it changes. */
  figures?: number;
  /** The value is of before the last change: shown in ink3, in place, until the new one is there. */
  stale?: boolean;
  /** Number that matters less in its row: regular weight. */
  quiet?: boolean;
}

export interface MeasuredFigure extends FigureLook {
  kind: 'measured';
  text: string;
  /** Half-width of the 95 % interval, without the ±. */
  half?: string | null;
}

export interface PredictedFigure extends FigureLook {
  kind: 'predicted';
  /** Without the ≈; two digits, three at most where the band is under 5 %. */
  text: string;
  band?: readonly [low: string, high: string] | null;
}

export interface UnknownFigure extends FigureLook {
  kind: 'unknown';
  /** *not measured*, *speed unknown*. */
  word: string;
  /** Offers to measure, with the time: *Measure, about 40 s*. */
  offer?: { label: string; act(): void } | null;
}

export type FigureProps = MeasuredFigure | PredictedFigure | UnknownFigure;

/** What a screen reader hears: *about 22 milliseconds, predicted, between 14 and 34*. */
export function spoken(figure: FigureProps): string {
  switch (figure.kind) {
    case 'measured':
      return `${speak(figure.text)}${figure.half ? `, plus or minus ${speak(figure.half)}` : ''}, measured`;
    case 'predicted':
      return `about ${speak(figure.text)}, predicted${
        figure.band ? `, between ${speak(figure.band[0])} and ${speak(figure.band[1])}` : ''
      }`;
    case 'unknown':
      return speak(figure.word);
  }
  figure satisfies never;
}

function Body(figure: FigureProps) {
  switch (figure.kind) {
    case 'measured':
      return (
        <>
          <span className={figure.quiet ? look.quiet : look.measured}>{figure.text}</span>
          {figure.half ? <small className={look.half}>±{figure.half}</small> : null}
        </>
      );
    case 'predicted':
      return (
        <>
          <span className={look.predicted}>
            <Approx /> {figure.text}
          </span>
          {figure.band ? (
            <small className={look.half}>
              {figure.band[0]}–{figure.band[1]}
            </small>
          ) : null}
        </>
      );
    case 'unknown':
      return <span className={look.unknown}>{figure.word}</span>;
  }
  figure satisfies never;
}

export function Figure(figure: FigureProps) {
  const { size = 'body', mark = false, how, figures, stale = false } = figure;
  const style: CSSProperties | undefined = figures ? { minWidth: `${figures}ch` } : undefined;
  const inner = (
    <>
      {mark ? <EvidenceMark kind={figure.kind} /> : null}
      <span className={look.value} aria-hidden="true">
        <Body {...figure} />
      </span>
      <span className="sr">{spoken(figure)}</span>
    </>
  );
  const shared = { className: look.figure, 'data-size': size, 'data-stale': stale || undefined, style };
  const offer = figure.kind === 'unknown' ? figure.offer : null;
  const tip = offer ? offer.label : how;
  if (offer)
    return (
      <Tooltip label={tip}>
        <button
          type="button"
          {...shared}
          data-offer
          onClick={offer.act}
          aria-label={`${figure.kind === 'unknown' ? figure.word : ''}. ${offer.label}`}
        >
          {inner}
        </button>
      </Tooltip>
    );
  if (!tip) return <span {...shared}>{inner}</span>;
  // In tables the row is the stop for the keyboard; elsewhere the figure itself is.
  return (
    <Tooltip label={tip}>
      {size === 'table' ? (
        <span {...shared}>{inner}</span>
      ) : (
        <button type="button" {...shared} data-quiet>
          {inner}
        </button>
      )}
    </Tooltip>
  );
}
