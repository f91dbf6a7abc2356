// The preload as built, in a VM that has what a sandboxed preload has: hands over one port, a path, and commands.
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import vm from 'node:vm';
import { expect, it } from 'vitest';

const path = resolve(import.meta.dirname, '../../out/preload/index.cjs');

function load() {
  const exposed: Record<string, Record<string, (...args: unknown[]) => unknown>> = {};
  const sent: unknown[][] = [];
  const heard = new Map<string, (...args: unknown[]) => void>();
  const listeners: ((event: unknown) => void)[] = [];
  const window = { addEventListener: (_name: string, listener: (event: unknown) => void) => listeners.push(listener) };
  const electron = {
    contextBridge: { exposeInMainWorld: (name: string, value: never) => (exposed[name] = value) },
    ipcRenderer: {
      postMessage: (...args: unknown[]) => sent.push(args),
      send: (...args: unknown[]) => sent.push(args),
      on: (channel: string, listener: (...args: unknown[]) => void) => heard.set(channel, listener),
    },
    webUtils: { getPathForFile: (file: { path: string }) => file.path },
  };
  const require = (name: string) => {
    if (name !== 'electron') throw new Error(`a sandboxed preload cannot load ${name}`);
    return electron;
  };
  vm.runInNewContext(readFileSync(path, 'utf8'), { require, window, exports: {}, module: { exports: {} } });
  const say = (event: unknown) => {
    for (const listener of listeners) listener(event);
  };
  return { exposed, sent, heard, window, say };
}

it('hands over exactly one port, from its own window only', () => {
  const { sent, window, say } = load();
  say({ source: {}, data: 'lathe:connect', ports: ['port'] });
  say({ source: window, data: 'other', ports: ['port'] });
  say({ source: window, data: 'lathe:connect', ports: [] });
  say({ source: window, data: 'lathe:connect', ports: ['one', 'two'] });
  expect(sent).toEqual([]);
  say({ source: window, data: 'lathe:connect', ports: ['port'] });
  expect(JSON.stringify(sent)).toBe('[["lathe:connect",null,["port"]]]');
});

it('shows the page three things and nothing of Electron', () => {
  const { exposed, sent, heard } = load();
  expect(Object.keys(exposed)).toEqual(['lathe']);
  expect(Object.keys(exposed.lathe ?? {}).sort()).toEqual(['kind', 'onCommand', 'pathOf']);
  expect(exposed.lathe?.pathOf?.({ path: '/real/model.onnx' })).toBe('/real/model.onnx');
  const got: unknown[] = [];
  exposed.lathe?.onCommand?.((command: unknown) => got.push(command));
  expect(sent).toEqual([['lathe:listening']]);
  heard.get('lathe:command')?.({ sender: 'secret' }, { kind: 'open', path: '/m.onnx' });
  expect(got).toEqual([{ kind: 'open', path: '/m.onnx' }]);
});

it('stays a few lines', () => {
  expect(statSync(path).size).toBeLessThan(4096);
});
