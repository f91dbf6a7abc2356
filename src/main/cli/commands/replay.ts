// `lathe replay`: runs it again and compares the artifact's bytes.
import type { CommandSpec } from '../command';

export const replay: CommandSpec = {
  name: 'replay <id>',
  help: 'runs a past run again and compares the bytes',
  async run(session, [id = '']) {
    const client = await session.client();
    const document = await client.runs.replay({ id }, { signal: session.signal });
    const text = document.identical
      ? `The same bytes: ${document.actual}`
      : [`Other bytes: ${document.actual} instead of ${document.expected}.`, ...(document.why ?? [])].join('\n');
    return { document, text, no: !document.identical };
  },
};
