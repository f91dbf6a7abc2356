// The desktop's plain rooms: where a window may open, what a menu holds, which arguments are files.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDialog } from '../../../src/main/desktop/dialogs';
import { type MenuActions, type MenuItem, menuTemplate } from '../../../src/main/desktop/menu';
import { openedPaths } from '../../../src/main/desktop/opened-paths';
import { placeWindow, readWindowState, writeWindowState } from '../../../src/main/desktop/window-state';

const folder = mkdtempSync(join(tmpdir(), 'lathe-rooms-'));
const screenArea = { x: 0, y: 25, width: 1920, height: 1000 };
const second = { x: 1920, y: 0, width: 2560, height: 1400 };
const at = (x: number, y: number, width = 1300, height = 800) => ({
  bounds: { x, y, width, height },
  maximized: false,
});

describe('the window is placed', () => {
  it('where it was, on whichever screen', () => {
    expect(placeWindow(at(40, 50), [screenArea])).toEqual({ x: 40, y: 50, width: 1300, height: 800, maximized: false });
    expect(placeWindow(at(2000, 10), [screenArea, second])).toMatchObject({ x: 2000, y: 10 });
  });

  it('anew where no screen shows it any more', () => {
    for (const gone of [at(2000, 10), at(1900, 50), at(40, -300), at(40, 1010), at(-1290, 50)])
      expect(placeWindow(gone, [screenArea])).toEqual({ width: 1300, height: 800, maximized: false });
  });

  it('no larger than its screen and no smaller than the workbench', () => {
    expect(placeWindow(at(0, 25, 9000, 9000), [screenArea])).toMatchObject({ width: 1920, height: 1000 });
    expect(placeWindow(at(0, 25, 10, 10), [screenArea])).toMatchObject({ width: 1024, height: 680 });
    expect(placeWindow(null, [])).toEqual({ width: 1440, height: 900, maximized: false });
  });

  it('by a state that is kept, and that nonsense does not break', () => {
    const path = join(folder, 'window.json');
    writeWindowState(path, at(1, 2));
    expect(readWindowState(path)).toEqual(at(1, 2));
    for (const text of [
      '',
      '{',
      '[]',
      '{"bounds":{"x":"1"}}',
      '{"bounds":{"x":1e99,"y":0,"width":-1,"height":0},"maximized":false}',
    ]) {
      writeFileSync(path, text);
      expect(readWindowState(path)).toBeNull();
    }
    expect(() => writeWindowState(join(folder, 'missing/window.json'), at(1, 2))).not.toThrow();
  });
});

describe('the menu', () => {
  const act: MenuActions = { pickAndOpen() {}, open() {}, go() {}, showWorkspace() {} };
  const labels = (items: MenuItem[]): string[] =>
    items.flatMap((item) => [item.label ?? item.role ?? '', ...labels(item.submenu ?? [])]);

  it('has what each system expects', () => {
    const mac = labels(menuTemplate('darwin', true, [], act));
    expect(mac).toContain('appMenu');
    expect(mac).toContain('Open Recent');
    expect(mac).not.toContain('quit');
    for (const platform of ['win32', 'linux'] as const) {
      const other = labels(menuTemplate(platform, true, ['/a/m.onnx'], act));
      expect(other).toEqual(expect.arrayContaining(['&File', '&View', '&Help', 'quit', 'about', 'm.onnx (a)']));
      expect(other).not.toContain('appMenu');
    }
  });

  it('shows developer tools only where Lathe is developed', () => {
    expect(labels(menuTemplate('linux', true, [], act))).not.toContain('toggleDevTools');
    expect(labels(menuTemplate('linux', false, [], act))).toContain('toggleDevTools');
  });
});

it('files are told from other arguments', () => {
  const model = join(folder, 'a model.onnx');
  writeFileSync(model, '');
  writeFileSync(join(folder, 'notes.txt'), '');
  const asked = ['a model.onnx', '--inspect', '', 'missing.onnx', 'notes.txt', folder];
  expect(openedPaths(['lathe', ...asked], folder, true)).toEqual([model, folder]);
  expect(openedPaths(['electron', 'app', ...asked], folder, false)).toEqual([model, folder]);
  expect(openedPaths(['electron', folder], folder, false)).toEqual([]);
});

it('dialogs ask for what is meant', () => {
  expect(openDialog('model', 'linux').filters?.[0]?.extensions).toEqual(['onnx', 'gguf']);
  expect(openDialog('folder', 'linux').properties).toEqual(['openDirectory']);
  expect(openDialog('dataset', 'darwin').properties).toEqual(['openFile', 'openDirectory']);
  expect(openDialog('dataset', 'win32', '/x')).toMatchObject({ properties: ['openFile'], defaultPath: '/x' });
});
