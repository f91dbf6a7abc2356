// Uploads: files that came through the browser; stored in the library, because there is no path on this machine to refer to.
import { mkdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { refuse } from '../../contract/words/refusal';
import { newId } from '../history/ids';
import { move } from './store';

export class Uploads {
  readonly #root: string;
  /** Where the transport streams to; on the same disk, so that registering is a rename. */
  readonly incoming: string;

  constructor(root: string) {
    this.#root = root;
    this.incoming = join(root, 'incoming');
    mkdirSync(this.incoming, { recursive: true });
  }

  /** Moves a complete upload to its own folder and answers its path there. */
  async register(path: string, name: string): Promise<string> {
    if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name)) {
      refuse('usage', `${JSON.stringify(name)} is not a file's name.`);
    }
    const folder = join(this.#root, newId());
    await mkdir(folder);
    await move(path, join(folder, name));
    return join(folder, name);
  }

  owns(path: string): boolean {
    const inside = relative(this.#root, path);
    return inside !== '' && !inside.startsWith('..') && inside.split(sep)[0] !== 'incoming';
  }

  /** Removes the upload that a stored file belongs to. */
  async remove(path: string): Promise<void> {
    if (this.owns(path)) {
      await rm(join(this.#root, relative(this.#root, path).split(sep)[0]!), { recursive: true, force: true });
    }
  }
}
