// Printed numbers as words for a screen reader: units in full, signs named.

const units: readonly (readonly [RegExp, string])[] = [
  [/(\d)\s*kB\b/g, '$1 kilobytes'],
  [/(\d)\s*MB\b/g, '$1 megabytes'],
  [/(\d)\s*GB\b/g, '$1 gigabytes'],
  [/(\d)\s*TB\b/g, '$1 terabytes'],
  [/(\d)\s*B\b/g, '$1 bytes'],
  [/(\d)\s*ms\b/g, '$1 milliseconds'],
  [/(\d)\s*min\b/g, '$1 minutes'],
  [/(\d)\s*s\b/g, '$1 seconds'],
  [/(\d)\s*h\b/g, '$1 hours'],
  [/(\d)\s*dB\b/g, '$1 decibels'],
  [/(\d)\s*tok\/s/g, '$1 tokens per second'],
  [/(\d)\s*%/g, '$1 per cent'],
  [/\u2212/g, 'minus '],
  [/–/g, ' to '],
  [/×/g, ' by '],
];

export const speak = (text: string): string =>
  units.reduce((said, [pattern, words]) => said.replace(pattern, words), text.replaceAll('\u202f', ' '));
