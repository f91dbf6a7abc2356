// The command line: reads what was asked, runs it, prints one document or a text, and ends with the promised exit code.
import { constants } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { Command, CommanderError } from 'commander';
import { name, version } from '../../../package.json';
import { workspaceFolder } from '../workspace';
import type { CommandSpec, OptionValues } from './command';
import { commands } from './commands';
import { exit, exitCodeOf, toRefusal } from './exit';
import { print } from './print';
import { openSession } from './session';

const here = import.meta.dirname;
const asJson = process.argv.includes('--json');
const interrupt = new AbortController();

/** A second Ctrl-C that is meant as one, not the same keystroke arriving by way of the launcher too. */
const impatientAfterMs = 1000;
const lastWordsMs = 3000;
let interruptedBy: NodeJS.Signals | null = null;
let interruptedAt = 0;

function onSignal(signal: NodeJS.Signals): void {
  if (interruptedBy !== null && Date.now() - interruptedAt > impatientAfterMs) process.exit(exitCodeOfSignal());
  interruptedAt ||= Date.now();
  interruptedBy ??= signal;
  interrupt.abort();
}

const exitCodeOfSignal = () => 128 + constants.signals[interruptedBy ?? 'SIGINT'];

async function runCommand(spec: CommandSpec, args: readonly string[], options: OptionValues): Promise<number> {
  const session = openSession(workspaceFolder(options.workspace as string | undefined), here, interrupt.signal);
  const running = spec.run(session, args, options);
  try {
    const answer = await (spec.endsWhenInterrupted ? running : Promise.race([running, interrupted()]));
    if (answer === null) return exit.done;
    await print(process.stdout, asJson ? JSON.stringify(answer.document) : answer.text);
    return answer.no ? exit.no : exit.done;
  } finally {
    await session.close();
    // What was writing takes away its temporary files.
    await Promise.race([running.catch(() => {}), setTimeout(lastWordsMs, undefined, { ref: false })]);
  }
}

function interrupted(): Promise<never> {
  const { signal } = interrupt;
  return new Promise((_, fail) => {
    if (signal.aborted) fail(signal.reason);
    signal.addEventListener('abort', () => fail(signal.reason), { once: true });
  });
}

function build(ran: (code: number) => void): Command {
  const program = new Command('lathe')
    .description('Makes neural networks small enough for the device they must run on.')
    .version(`${name} ${version}`)
    .option('--json', 'exactly one JSON document on stdout')
    .option('--workspace <dir>', 'where history and library live (or LATHE_HOME)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeErr: () => {} })
    .exitOverride();
  const groups = new Map<string, Command>();
  for (const spec of commands) {
    const [group, ...rest] = spec.name.split(/ (?![<[])/);
    const parent = rest.length === 0 ? program : (groups.get(group ?? '') ?? program.command(group ?? ''));
    if (rest.length > 0) groups.set(group ?? '', parent.description('Past runs, newest first.'));
    const command = parent.command(rest.length === 0 ? spec.name : rest.join(' '), { isDefault: spec.isDefault });
    command.description(spec.help).allowExcessArguments(false);
    for (const { flags, help, parse, required } of spec.options ?? []) {
      const option = command.createOption(flags, help).makeOptionMandatory(required ?? false);
      command.addOption(parse ? option.argParser(parse) : option);
    }
    command.action(async () => {
      if (command.args.some((arg) => arg.trim() === ''))
        throw new CommanderError(exit.usage, 'lathe.empty', 'an argument is empty');
      ran(await runCommand(spec, command.args, command.optsWithGlobals()));
    });
  }
  return program;
}

async function main(): Promise<number> {
  let code: number = exit.done;
  const program = build((ended) => (code = ended));
  try {
    await program.parseAsync();
    return interrupt.signal.aborted && code !== exit.done ? exitCodeOfSignal() : code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exit.done;
    if (error instanceof CommanderError && error.code === 'commander.help') {
      if (!asJson) await print(process.stderr, program.helpInformation());
      else await print(process.stdout, JSON.stringify({ error: { code: 'usage', sentence: 'Name a command.' } }));
      return exit.usage;
    }
    const { place: _, ...refusal } = interrupt.signal.aborted
      ? { code: 'cancelled' as const, sentence: 'Cancelled; nothing half-written is left.', place: undefined }
      : toRefusal(error);
    if (asJson) await print(process.stdout, JSON.stringify({ error: refusal }));
    else await print(process.stderr, [refusal.sentence, refusal.mend].filter(Boolean).join('\n'));
    return interrupt.signal.aborted ? exitCodeOfSignal() : exitCodeOf(refusal);
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
// The launcher holds the other end of this channel: when it is gone, even by SIGKILL, so are we.
if (process.env.LATHE_LAUNCHED && process.channel) {
  process.channel.unref();
  process.once('disconnect', () => onSignal('SIGTERM'));
}
// A reader that has seen enough (`lathe history | head`) is no failure.
process.stdout.on('error', () => process.exit(exit.done));
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error) => {
    const refusal = toRefusal(error);
    process.stderr.write(`${refusal.sentence}\n`);
    process.exit(exit.failure);
  });
process.exit(await main());
