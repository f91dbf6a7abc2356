// `lathe resume`: goes on where the engine or the host of a run was ended.
import { type CommandSpec, named } from '../command';
import { checkOutFolder } from '../out-folder';
import { finish } from './run';

export const resume: CommandSpec = {
  name: 'resume <run>',
  help: 'goes on from the last checkpoint of an interrupted run; the artifact is the same as without the interruption',
  options: [
    { flags: '--out <dir>', help: "receives the artifact's files and run.json; absent or empty", parse: named },
  ],
  async run(session, [interrupted = ''], { out }) {
    if (out !== undefined) await checkOutFolder(String(out));
    const client = await session.client();
    const { id } = await client.runs.resume({ id: interrupted });
    return finish(session, client, id, out);
  },
};
