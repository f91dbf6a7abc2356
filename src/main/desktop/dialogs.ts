// The native dialogs as plain data; the entry hands them to Electron.

export type Picked = 'model' | 'folder' | 'dataset' | 'save-folder';

export interface OpenDialog {
  readonly title: string;
  readonly properties: ('openFile' | 'openDirectory' | 'createDirectory')[];
  readonly filters?: { name: string; extensions: string[] }[];
  readonly defaultPath?: string;
}

export function openDialog(
  what: Exclude<Picked, 'save-folder'>,
  platform: NodeJS.Platform,
  defaultPath?: string,
): OpenDialog {
  switch (what) {
    case 'model':
      return {
        title: 'Open a model',
        properties: ['openFile'],
        filters: [
          { name: 'Models', extensions: ['onnx', 'gguf'] },
          { name: 'All files', extensions: ['*'] },
        ],
        defaultPath,
      };
    case 'folder':
      return { title: 'Open a folder', properties: ['openDirectory'], defaultPath };
    case 'dataset':
      // A dataset is a file or a folder; only a Mac's dialog offers both at once.
      return {
        title: 'Open a dataset',
        properties: platform === 'darwin' ? ['openFile', 'openDirectory'] : ['openFile'],
        defaultPath,
      };
    default:
      return what satisfies never;
  }
}
