// How an engine process is started: child_process in Node hosts, utilityProcess in Electron, one small interface for both.
import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Readable } from 'node:stream';
import type { FromEngine, ToEngine } from './engine-process';

/** *bench* runs the queue's jobs; *desk* stays warm for what must answer now. */
export type EngineRole = 'bench' | 'desk';

/** A started engine, whatever started it. */
export interface EnginePort {
  readonly pid: number | undefined;
  send(message: ToEngine): void;
  onMessage(listener: (message: FromEngine) => void): void;
  /** What it prints (the runtime's own warnings): goes to the log, never to the user. */
  onText(listener: (text: string) => void): void;
  /** Called once, when it has ended for whatever reason. */
  onExit(listener: (end: EngineEnd) => void): void;
  kill(): void;
}

export interface EngineEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface ForkEngine {
  (role: EngineRole): EnginePort;
  /** Changes whenever the engine's program or this machine's processor does; what `describe()` said is kept under it. */
  readonly build: string;
}

/** Forks `engine.js` with Node's own IPC; typed arrays arrive as typed arrays. */
export function childForker(enginePath: string): ForkEngine {
  return Object.assign(
    (role: EngineRole): EnginePort => {
      const child = fork(enginePath, [], {
        serialization: 'advanced',
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        env: engineEnvironment(),
        execArgv: [],
      });
      return announce(childPort(child), role);
    },
    { build: buildOf(enginePath) },
  );
}

/** The part of Electron's `utilityProcess` that is used here; injected, because only Electron's entry may import electron. */
export interface UtilityProcessModule {
  fork(
    modulePath: string,
    args: string[],
    options: { serviceName: string; stdio: 'pipe'; env: NodeJS.ProcessEnv },
  ): {
    readonly pid: number | undefined;
    readonly stdout: NodeJS.ReadableStream | null;
    readonly stderr: NodeJS.ReadableStream | null;
    postMessage(message: unknown): void;
    kill(): boolean;
    on(event: 'message', listener: (message: unknown) => void): unknown;
    once(event: 'exit', listener: (code: number) => void): unknown;
  };
}

export function utilityForker(utilityProcess: UtilityProcessModule, enginePath: string): ForkEngine {
  return Object.assign(
    (role: EngineRole): EnginePort => {
      const child = utilityProcess.fork(enginePath, [], {
        serviceName: `Lathe engine (${role})`,
        stdio: 'pipe',
        env: engineEnvironment(),
      });
      const port: EnginePort = {
        get pid() {
          return child.pid;
        },
        send: (message) => child.postMessage(message),
        onMessage: (listener) => void child.on('message', (message) => listener(message as FromEngine)),
        onText: (listener) => listen([child.stdout, child.stderr], listener),
        onExit: (listener) => void child.once('exit', (code) => listener({ code, signal: null })),
        // SIGTERM, which utilityProcess.kill sends, waits for the thread that is blocked in a run.
        kill: () => void (child.pid === undefined ? child.kill() : killHard(child.pid)),
      };
      return announce(port, role);
    },
    { build: buildOf(enginePath) },
  );
}

function childPort(child: ChildProcess): EnginePort {
  return {
    pid: child.pid,
    // A closed channel is not an error of the sender: the exit is reported by onExit.
    send: (message) => void (child.connected && child.send(message, () => {})),
    onMessage: (listener) => void child.on('message', (message) => listener(message as FromEngine)),
    onText: (listener) => listen([child.stdout, child.stderr], listener),
    onExit: (listener) => {
      let told = false;
      const tell = (end: EngineEnd) => {
        if (told) return;
        told = true;
        listener(end);
      };
      child.once('exit', (code, signal) => tell({ code, signal }));
      child.once('error', () => tell({ code: null, signal: null }));
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

function announce(port: EnginePort, role: EngineRole): EnginePort {
  port.send({ kind: 'role', role });
  return port;
}

function listen(streams: (NodeJS.ReadableStream | Readable | null)[], listener: (text: string) => void): void {
  for (const stream of streams) {
    stream?.setEncoding('utf8');
    stream?.on('data', (text: string) => listener(text));
  }
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

/** The engine's watchdog ends it when this process is gone. */
function engineEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LATHE_HOST_PID: String(process.pid) };
}

/** Chunk names carry the hash of their content, so the entry's own bytes change whenever anything below it does. */
function buildOf(enginePath: string): string {
  return createHash('sha256')
    .update(readFileSync(enginePath))
    .update(`${process.version} ${process.arch} ${cpus().length} ${cpus()[0]?.model}`)
    .digest('hex')
    .slice(0, 32);
}
