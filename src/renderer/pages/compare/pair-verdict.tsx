// The verdict between A and B: a sentence, how it was reckoned, and the samples either of them wins.
import { count } from '../../format';
import { precisionOf } from '../../precision';
import { type Point, pairOf } from './front';
import look from './pair.module.css';
import { verdict } from './verdict';

export function PairVerdict({ a, b, metric }: { a: Point; b: Point; metric: string }) {
  const { head, body, how } = verdict(a, b, metric);
  const pair = pairOf(a, b);
  // Every answer that differs from a reference is the run's: there is nothing to win.
  const againstReference = a.reference || b.reference;
  const changing = pair ? pair.wins + pair.losses : 0;
  return (
    <section className={look.verdict} aria-label="A against B">
      <h3>{head}</h3>
      <p>
        {body} {how ? <span>{how}.</span> : null}
      </p>
      {pair && changing > 0 && !againstReference ? (
        <div
          className={look.wins}
          role="img"
          aria-label={`A alone is right on ${count(pair.losses)}, B alone on ${count(pair.wins)}.`}
        >
          <Won letter="A" point={a} samples={pair.losses} of={changing} />
          <Won letter="B" point={b} samples={pair.wins} of={changing} />
          <i />
        </div>
      ) : null}
    </section>
  );
}

/** The letter stands in its bar where it fits. */
const leastShare = 0.16;

function Won({ letter, point, samples, of }: { letter: 'A' | 'B'; point: Point; samples: number; of: number }) {
  const precision = precisionOf(point.bits);
  return (
    <span
      style={{ flexGrow: samples, background: `var(--l-${precision})` }}
      data-letter={letter}
      data-dark={precision === 'fp16' || undefined}
    >
      {samples / of >= leastShare ? (letter === 'A' ? `A ${count(samples)}` : `${count(samples)} B`) : ''}
    </span>
  );
}
