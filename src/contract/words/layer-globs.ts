// Layer patterns of recipes, one reading for the run and the form: `*` any characters, `/` too; `?` one; `{a,b}` either.

/** More alternatives than this from one pattern are a mistake: `{a,b}` twenty times over is a million. */
const mostAlternatives = 1024;

/** A pattern as a question about names. Time is bounded by pattern × name, whatever the pattern. */
export function globMatcher(pattern: string): (name: string) => boolean {
  const alternatives = expand(pattern);
  return (name) => alternatives.some((alternative) => matches(alternative, name));
}

/** `a{b,c{d,e}}f` → abf, acdf, acef. A brace without its partner stands for itself. */
function expand(pattern: string): string[] {
  const open = pattern.indexOf('{');
  const parts = open < 0 ? null : split(pattern, open);
  if (!parts) return [pattern];
  const [before, after] = [pattern.slice(0, open), expand(pattern.slice(parts.end))];
  const found: string[] = [];
  for (const part of parts.inside) {
    for (const middle of expand(part)) {
      for (const rest of after) {
        found.push(before + middle + rest);
        if (found.length > mostAlternatives) return found;
      }
    }
  }
  return found;
}

/** The comma-separated parts of the brace that opens at `open`, and where it ends; null where it does not. */
function split(pattern: string, open: number): { inside: string[]; end: number } | null {
  const inside: string[] = [];
  let depth = 0;
  let from = open + 1;
  for (let at = open; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === '{') depth++;
    else if (character === '}' && --depth === 0) return { inside: [...inside, pattern.slice(from, at)], end: at + 1 };
    else if (character === ',' && depth === 1) {
      inside.push(pattern.slice(from, at));
      from = at + 1;
    }
  }
  return null;
}

/** `*` and `?` only: on a mismatch the last star takes one character more. */
function matches(pattern: string, name: string): boolean {
  let at = 0;
  let index = 0;
  let star = -1;
  let resume = 0;
  while (index < name.length) {
    if (pattern[at] === '*') {
      star = at++;
      resume = index;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === name[index])) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++resume;
    } else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
