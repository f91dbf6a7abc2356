// Where the compiled kernels and the built worker lie, seen from the source tree or from a build's chunk.
import { existsSync, readFileSync } from 'node:fs';
import { type WasmModule, wasm } from './kernel-set';

/** The first that exists of some places relative to this module. */
export function firstOf(places: readonly string[]): URL | null {
  return places.map((place) => new URL(place, import.meta.url)).find((url) => existsSync(url)) ?? null;
}

export function compiled(name: string): WasmModule {
  const file = firstOf([`../kernels/${name}`, `../../kernels/${name}`, `../../../out/kernels/${name}`]);
  if (!file) throw new Error(`out/kernels/${name} is missing: npm run kernels builds it`);
  return new wasm.Module(readFileSync(file));
}
