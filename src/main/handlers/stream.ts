// Streams of events for the contract: buffered, begun at the call, ended at once when the other side goes.
import { AsyncIteratorClass } from '@orpc/server';

/** What a source may do: tell a value, or end with or without an error. */
export interface Sink<T> {
  tell(value: T): void;
  end(error?: unknown): void;
}

/** `open` begins and answers what ends it. */
export function stream<T>(open: (sink: Sink<T>) => () => void): AsyncIteratorClass<T, void, void> {
  const values: T[] = [];
  let ended: { error?: unknown } | null = null;
  let wake: (() => void) | null = null;
  const stir = () => {
    wake?.();
    wake = null;
  };
  const close = open({
    tell(value) {
      values.push(value);
      stir();
    },
    end(error) {
      ended ??= error === undefined ? {} : { error };
      stir();
    },
  });
  return new AsyncIteratorClass<T, void, void>(
    async () => {
      while (values.length === 0 && ended === null) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (values.length > 0) return { done: false, value: values.shift()! };
      if (ended && 'error' in ended) throw ended.error;
      return { done: true, value: undefined };
    },
    async () => {
      ended ??= {};
      stir();
      close();
    },
  );
}
