// Machine: where and with what a run was made, and in what two machines differ as far as bytes and outputs are concerned.
import { arch, cpus, platform, totalmem } from 'node:os';
import type { Machine, RunDocument } from '../../contract/words/run';
import type { Tasks } from './engine-process';

export function machineOf(described: Tasks['describe']['answer']): Machine {
  return {
    platform: platform(),
    arch: arch(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    cpuFeatures: [...described.cpuFeatures],
    memoryBytes: totalmem(),
    node: process.version,
    onnxruntime: described.onnxruntime,
    threads: described.physicalCores,
  };
}

/** Why the same recipe may give other bytes: what is recorded and differs, in sentences. */
export function differences(before: RunDocument['run'], after: RunDocument['run']): string[] {
  const found: string[] = [];
  const say = (what: string, then: string | number, now: string | number) => {
    if (then !== now) found.push(`${what}: ${then} then, ${now} now.`);
  };
  say("Lathe's version", before.lathe, after.lathe);
  say('onnxruntime', before.machine.onnxruntime, after.machine.onnxruntime);
  say('Processor', before.machine.cpu, after.machine.cpu);
  say('Architecture', before.machine.arch, after.machine.arch);
  say('Threads', before.machine.threads, after.machine.threads);
  const [then, now] = [new Set(before.machine.cpuFeatures), new Set(after.machine.cpuFeatures)];
  const lost = [...then].filter((feature) => !now.has(feature));
  const gained = [...now].filter((feature) => !then.has(feature));
  if (lost.length > 0) found.push(`This processor lacks ${lost.join(', ')}.`);
  if (gained.length > 0) found.push(`This processor has ${gained.join(', ')} besides.`);
  say('Dataset', before.dataset?.fingerprint ?? 'none', after.dataset?.fingerprint ?? 'none');
  if (found.length === 0) found.push('Nothing that is recorded differs: the difference is a fault of Lathe.');
  return found;
}
