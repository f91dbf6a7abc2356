// A recipe as text: what fits on a line stays on one, so that a step reads as a step.
import type { Recipe } from '../../../contract/words/recipe';

const longest = 58;

const oneLine = (value: unknown): string => {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[ ${value.map(oneLine).join(', ')} ]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${oneLine(each)}`);
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
  }
  return JSON.stringify(value);
};

function print(value: unknown, indent: number, before: number): string {
  const flat = oneLine(value);
  // The document and its list of steps are always opened: a step is a line, or more.
  if (indent > 1 && before + flat.length <= longest) return flat;
  if (typeof value !== 'object' || value === null) return flat;
  const pad = '  '.repeat(indent + 1);
  const end = '  '.repeat(indent);
  if (Array.isArray(value)) {
    if (value.length === 0 || value.every((each) => typeof each !== 'object')) return flat;
    return `[\n${value.map((each) => `${pad}${print(each, indent + 1, pad.length)}`).join(',\n')}\n${end}]`;
  }
  const lines = Object.entries(value).map(([key, each]) => {
    const head = `${pad}${JSON.stringify(key)}: `;
    return `${head}${print(each, indent + 1, head.length)}`;
  });
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${end}}`;
}

export const printRecipe = (recipe: Recipe): string => print(recipe, 0, 0);

export type Token = { kind: 'key' | 'text' | 'number' | 'plain'; text: string };

/** The words of a line of JSON, for their colours. */
export function tokensOf(line: string): Token[] {
  const pattern = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/g;
  const tokens: Token[] = [];
  let end = 0;
  for (const match of line.matchAll(pattern)) {
    if (match.index > end) tokens.push({ kind: 'plain', text: line.slice(end, match.index) });
    const kind = match[3] ? 'number' : match[2] ? 'key' : 'text';
    tokens.push({ kind, text: match[0] });
    end = match.index + match[0].length;
  }
  if (end < line.length) tokens.push({ kind: 'plain', text: line.slice(end) });
  return tokens;
}
