// What a command is: its words for the shell, and a run that answers with one document and its text.
import type { ContractRouterClient } from '@orpc/contract';
import { InvalidArgumentError } from 'commander';
import type { Contract } from '../../contract/contract';
import type { Host } from '../host';

export type Client = ContractRouterClient<Contract>;

/** What a command works with. The host opens with the first call of `client`, so usage errors cost nothing. */
export interface Session {
  readonly workspace: string;
  /** Aborted by Ctrl-C, by SIGTERM, and when the launcher is gone. */
  readonly signal: AbortSignal;
  /** The folder of the built entries: `engine.js` beside, `../renderer`. */
  readonly here: string;
  client(): Promise<Client>;
  host(kind: 'cli' | 'served'): Promise<Host>;
}

/** `document` goes out with `--json`, `text` otherwise; `no` marks an answer that is an honest "no" (exit 3). */
export interface Answer {
  readonly document: unknown;
  readonly text: string;
  readonly no?: boolean;
}

export type OptionValues = Record<string, string | number | boolean | undefined>;

export interface CommandSpec {
  /** As commander reads it: `inspect <model>`, `history show <id>`. */
  readonly name: string;
  readonly help: string;
  readonly options?: readonly {
    readonly flags: string;
    readonly help: string;
    readonly parse?: (text: string) => string | number;
    readonly required?: boolean;
  }[];
  /** Runs when its parent is called without a subcommand. */
  readonly isDefault?: boolean;
  /** Runs until it is interrupted; that is then its good end. */
  readonly endsWhenInterrupted?: boolean;
  /** Null where the command has printed for itself. */
  run(session: Session, args: readonly string[], options: OptionValues): Promise<Answer | null>;
}

/** An integer option within [least, most]. */
export const whole =
  (least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Give a whole number from ${least}${most < 2 ** 53 - 1 ? ` to ${most}` : ''}.`);
  };

export const choice =
  (...values: readonly string[]) =>
  (text: string): string => {
    if (values.includes(text)) return text;
    throw new InvalidArgumentError(`Choose one of ${values.join(', ')}.`);
  };

/** Something that was typed: never empty. */
export const named = (text: string): string => {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('It is empty.');
};
