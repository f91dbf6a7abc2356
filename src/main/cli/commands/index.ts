// The commands, in the order of `lathe --help`.
import type { CommandSpec } from '../command';
import { bundle } from './bundle';
import { devices } from './devices';
import { evaluate } from './evaluate';
import { fit } from './fit';
import { historyExport } from './history-export';
import { historyList } from './history-list';
import { historyShow } from './history-show';
import { inspect } from './inspect';
import { methods } from './methods';
import { replay } from './replay';
import { resume } from './resume';
import { run } from './run';
import { serve } from './serve';
import { verify } from './verify';

export const commands = [
  serve,
  inspect,
  evaluate,
  run,
  resume,
  methods,
  devices,
  fit,
  bundle,
  verify,
  historyList,
  historyShow,
  historyExport,
  replay,
] as const satisfies readonly CommandSpec[];
