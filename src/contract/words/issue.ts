// What is wrong in a document of the user's, in a sentence with its place: the first issue of its schema.
import type { z } from 'zod';

export interface SaidIssue {
  /** `splits.test.from`; empty for the document itself. */
  readonly place: string;
  readonly sentence: string;
}

/** `place: sentence`, as the refusals of recipes read. */
export function sayIssue(error: z.ZodError): SaidIssue {
  const issue = error.issues[0]!;
  const at = (more: readonly PropertyKey[] = []) => [...issue.path, ...more].map(String).join('.');
  const said = (place: string, what: string): SaidIssue => ({ place, sentence: place ? `${place}: ${what}` : what });
  switch (issue.code) {
    case 'unrecognized_keys':
      return said(at(issue.keys.slice(0, 1)), 'there is no such key');
    case 'invalid_key':
      return said(at(), 'there is no such key');
    case 'invalid_value':
      return said(at(), `it is not ${issue.values.length === 1 ? '' : 'one of '}${issue.values.join(', ')}`);
    case 'invalid_type':
      return said(at(), `it is not ${nouns[issue.expected] ?? `of type ${issue.expected}`}`);
    case 'too_small':
      return said(at(), `it is not ${issue.inclusive ? 'at least' : 'above'} ${issue.minimum}`);
    case 'too_big':
      return said(at(), `it is not ${issue.inclusive ? 'at most' : 'below'} ${issue.maximum}`);
    default:
      return said(at(), issue.message);
  }
}

const nouns: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};
