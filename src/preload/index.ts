// Preload: hands one MessagePort to the host, tells a dropped file's path, and passes the menu's commands on.
import { contextBridge, ipcRenderer, webUtils } from 'electron';

window.addEventListener('message', (event) => {
  if (event.source === window && event.data === 'lathe:connect' && event.ports.length === 1)
    ipcRenderer.postMessage('lathe:connect', null, [...event.ports]);
});

contextBridge.exposeInMainWorld('lathe', {
  kind: 'electron',
  pathOf: (file: File) => webUtils.getPathForFile(file),
  /** What the menu, a second start or *open with* ask for: `{ kind: 'open', path }`, `{ kind: 'go', page }`. */
  onCommand: (listener: (command: unknown) => void) => {
    ipcRenderer.on('lathe:command', (_event, command) => listener(command));
    ipcRenderer.send('lathe:listening');
  },
});
