// Names of uploaded files: relative, contained, and sayable on every system.

/** Names that Windows keeps for devices, whatever their ending. */
const reserved = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const unsayable = /[\u0000-\u001f\u007f<>:"|?*]/g;

const longestName = 200;
const deepestFolder = 16;

/**
 * A safe relative path with `/`, or null where the name tries to leave its folder. Characters that some system cannot
 * store become `_`; a model that names its external data by such a character would not open on that system either.
 */
export function safePath(name: string): string | null {
  const parts = name.split('/');
  if (parts.length > deepestFolder || name.includes('\\')) return null;
  const safe: string[] = [];
  for (const part of parts) {
    if (part === '' || part === '.' || part === '..') return null;
    const clean = part
      .normalize('NFC')
      .replace(unsayable, '_')
      .replace(/[. ]+$/, '_');
    if (Buffer.byteLength(clean) > longestName) return null;
    safe.push(reserved.test(clean) ? `_${clean}` : clean);
  }
  return safe.join('/');
}
