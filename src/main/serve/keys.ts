// The token that opens the served workbench: 256 bits, compared in constant time, printed once and never logged.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const codeLifeMs = 60_000;

export interface Keys {
  /** Holds for the process's life, any number of times. */
  readonly token: string;
  /** A code that opens once, for the command line of a browser, which every user of the machine may read. */
  issueCode(): string;
  opens(given: string): boolean;
  isToken(given: string): boolean;
}

const newSecret = () => randomBytes(32).toString('base64url');
const digest = (text: string) => createHash('sha256').update(text).digest();

/** Equal length by hashing, so that neither content nor length shows in the time it takes. */
const isSame = (given: string, secret: string) => timingSafeEqual(digest(given), digest(secret));

export function makeKeys(now: () => number = Date.now): Keys {
  const token = newSecret();
  let code: { secret: string; until: number } | null = null;
  return {
    token,
    issueCode: () => {
      code = { secret: newSecret(), until: now() + codeLifeMs };
      return code.secret;
    },
    isToken: (given) => isSame(given, token),
    opens: (given) => {
      if (isSame(given, token)) return true;
      if (code === null || now() > code.until || !isSame(given, code.secret)) return false;
      code = null;
      return true;
    },
  };
}
