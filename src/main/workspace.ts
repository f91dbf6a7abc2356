// Where history and library live when nobody says otherwise: the same folder for every host.
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** `--workspace`, else LATHE_HOME, else the platform's folder for a user's data; absolute. */
export function workspaceFolder(asked?: string, env: NodeJS.ProcessEnv = process.env): string {
  const given = asked || env.LATHE_HOME;
  if (given) return resolve(given);
  switch (process.platform) {
    case 'win32':
      return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'Lathe');
    case 'darwin':
      return join(homedir(), 'Library', 'Application Support', 'Lathe');
    default:
      return join(env.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'lathe');
  }
}
