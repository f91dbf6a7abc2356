// The words of the trade, one sentence each, and the formula one click further.

export interface Term {
  id: string;
  term: string;
  sentence: string;
  formula?: string;
}

export const terms: readonly Term[] = [
  {
    id: 'kurtosis',
    term: 'Kurtosis',
    sentence: 'How heavy the tails are. 3 is a bell curve; above 13, a few weights stretch the scale for all others.',
    formula: 'm₄ / m₂², over all weights of the layer',
  },
  {
    id: 'sigma',
    term: 'σ',
    sentence: 'The standard deviation of the weights. Almost none of a bell curve lies beyond 6 σ.',
    formula: 'σ = √(Σ(w − mean)² / n)',
  },
  {
    id: 'outliers',
    term: 'Beyond 6 σ',
    sentence:
      'The share of weights more than six standard deviations from the mean. They set the scale and the rest pays.',
  },
  {
    id: 'scale',
    term: 'Scale',
    sentence: 'The step between two levels. Weights that share a scale are rounded to the same grid.',
    formula: 'ŵ = scale · (code − zero point)',
  },
  {
    id: 'group-size',
    term: 'Group size',
    sentence: 'How many weights share a scale. Smaller groups follow the weights more closely and cost more bytes.',
  },
  {
    id: 'per-channel',
    term: 'Per-channel',
    sentence: 'One scale for each output channel instead of one for the whole tensor.',
  },
  {
    id: 'sqnr',
    term: 'Signal to noise',
    sentence: 'How much louder the weights are than the error of rounding them. 6 dB are worth one bit.',
    formula: '10 · log₁₀(Σw² / Σ(w − ŵ)²) dB',
  },
  {
    id: 'multiply-adds',
    term: 'Multiply-adds',
    sentence: 'Multiplications with an addition that the layer does for one sample.',
  },
  {
    id: 'cut',
    term: 'The cut',
    sentence:
      'A model drawn as a turned workpiece: length is parameters, diameter is bits, area is bytes. The hatch was removed.',
  },
  {
    id: 'interval',
    term: '95 % interval',
    sentence: 'Where the true value would lie in 95 of 100 such measurements. More samples make it narrower.',
  },
];

export const termOf = (id: string): Term | undefined => terms.find((term) => term.id === id);
