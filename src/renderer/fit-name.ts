// Layer names where room is short: shortened from the left, since the end tells layers apart.

/** Width of one mono character at 11.5 px. */
const characterPx = 7.1;

/** Fewer characters than this tell nothing. */
const leastTail = 6;

/** The name as far as it fits, shortened from the left: the end tells layers apart. Null where nothing sensible fits. */
export function fitName(name: string, widthPx: number, character = characterPx): string | null {
  const room = Math.floor(widthPx / character);
  if (name.length <= room) return name;
  const tail = name.slice(-Math.max(0, room - 1));
  // Begin at a part of the name where one begins in sight; a torn word only where much of it is left.
  const part = tail.search(/[./_]/);
  const clean = part >= 0 && part < tail.length - 3 ? tail.slice(part + 1) : tail;
  const whole = name.at(-clean.length - 1) === '.' || name.at(-clean.length - 1) === '/';
  return clean.length >= (whole ? 4 : leastTail) && room > 4 ? `…${clean}` : null;
}
