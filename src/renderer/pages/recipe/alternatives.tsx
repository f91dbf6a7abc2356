// *If this layer were*: the same settings at the other precisions, one preview after another.
import type { MethodCard } from '../../../contract/words/method';
import { roughBytes } from '../../format';
import { Figure } from '../../parts/figure';
import { EvidenceMark } from '../../parts/glyphs';
import { PrecisionTag } from '../../parts/precision-tag';
import { bitsParameter } from './document';
import look from './preview.module.css';
import { decibels, type PreviewAsk, useAlternatives } from './use-preview';

interface AlternativesProps {
  /** As the recipe has it. */
  ask: PreviewAsk;
  card: MethodCard;
  ready: boolean;
}

export function Alternatives({ ask, card, ready }: AlternativesProps) {
  const bits = bitsParameter(card);
  const values = bits?.choices.map((each) => each.value) ?? [];
  const { data, isPlaceholderData } = useAlternatives(ask, bits?.id ?? '', values, ready && values.length > 1);
  if (!bits || values.length < 2) return null;
  return (
    <table className={look.alternatives}>
      <thead>
        <tr>
          <th scope="col">If this layer were</th>
          <th scope="col">
            <EvidenceMark kind="measured" /> Weights
          </th>
          <th scope="col">
            <EvidenceMark kind="predicted" /> Bytes
          </th>
        </tr>
      </thead>
      <tbody>
        {values.map((value, at) => {
          const answer = data?.[at];
          const now = ask.params[bits.id] === value;
          return (
            <tr key={String(value)}>
              <th scope="row">
                <PrecisionTag bits={Number(value)} /> {now ? <small>now</small> : null}
              </th>
              {answer?.refusal ? (
                <td colSpan={2} className={look.cannot}>
                  {answer.refusal.sentence}
                </td>
              ) : (
                <>
                  <td>
                    {answer ? (
                      <Figure
                        kind="measured"
                        size="table"
                        quiet={!now}
                        text={decibels(answer.sqnrDb)}
                        stale={isPlaceholderData}
                      />
                    ) : null}
                  </td>
                  <td>
                    {answer ? (
                      <Figure
                        kind="predicted"
                        size="table"
                        text={roughBytes(answer.bytesAfter, 3)}
                        stale={isPlaceholderData}
                      />
                    ) : null}
                  </td>
                </>
              )}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
