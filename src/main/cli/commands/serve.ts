// `lathe serve`: the workbench in the user's browser, on this machine only.
import { type CommandSpec, whole } from '../command';

export const serve: CommandSpec = {
  name: 'serve',
  help: 'serves the workbench on 127.0.0.1',
  options: [
    { flags: '--port <n>', help: 'the port; a free one by default', parse: whole(0, 65535) },
    { flags: '--no-open', help: 'does not open the browser' },
  ],
  endsWhenInterrupted: true,
  async run(session, _args, options) {
    const { serve } = await import('../../serve');
    await serve({
      port: Number(options.port ?? 0),
      open: options.open !== false,
      here: session.here,
      signal: session.signal,
      openHost: () => session.host('served'),
    });
    return null;
  },
};
