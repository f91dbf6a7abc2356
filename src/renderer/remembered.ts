// What this window remembers for itself: column widths, orders, switches. Nothing of worth: it may be lost.

const key = (name: string) => `lathe.${name}`;

export const remembered = {
  get(name: string): string | null {
    try {
      return localStorage.getItem(key(name));
    } catch {
      return null;
    }
  },
  set(name: string, value: string): void {
    try {
      localStorage.setItem(key(name), value);
    } catch {
      // Storage is closed to us: it holds for this page only.
    }
  },
  number(name: string): number | null {
    const text = this.get(name);
    const value = text === null ? Number.NaN : Number(text);
    return Number.isFinite(value) ? value : null;
  },
};
