// Proves a bundle without trusting a byte of it: what it lists, what it holds, whether it loads, what it answers.
import { lstat, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative, sep } from 'node:path';
import { type BundleManifest, bundleManifest, type VerifyDocument } from '../contract/words/bundle';
import { Refused, refuse } from '../contract/words/refusal';
import { hashFile, isContained, listEverything } from './bundle-files';
import { argmaxes, distance } from './bundle-golden';
import { unzipBundle } from './bundle-zip';
import { decodeNpy } from './data/npy-file';
import { openFormat } from './formats/index';
import { measureLatency } from './measure/latency';
import { Failure } from './runtime/failure';
import { physicalCores } from './runtime/machine';
import { type Feeds, openSession, type Session } from './runtime/session';
import type { Work } from './tasks';

const most = { files: 10_000, manifestBytes: 16 * 2 ** 20, golden: 64, goldenBytes: 2 ** 30 };

type Checks = VerifyDocument['checks'];

export async function verifyPath(path: string, work: Work): Promise<VerifyDocument> {
  const facts = await lstat(path).catch(() => refuse('not-found', `${path} is not there.`));
  if (facts.isDirectory()) return verifyFolder(path, work);
  if (!facts.isFile()) refuse('bad-bundle', `${basename(path)} is neither a folder nor a zip.`);
  const folder = await mkdtemp(join(tmpdir(), 'lathe-verify-'));
  try {
    work.emit({ kind: 'doing', what: `unpacking ${basename(path)}` });
    try {
      await unzipBundle(path, folder);
    } catch (error) {
      if (!(error instanceof Refused) || error.refusal.code === 'disk-full') throw error;
      return { ok: false, checks: [{ name: 'unpack', ok: false, detail: error.refusal.sentence }] };
    }
    return await verifyFolder(folder, work);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function verifyFolder(folder: string, work: Work): Promise<VerifyDocument> {
  const checks: Checks = [];
  const check = (name: string, ok: boolean, detail: string): boolean => {
    checks.push({ name, ok, detail });
    return ok;
  };
  const manifest = await readManifest(folder, check);
  const isWhole = manifest !== null && checkPaths(manifest, check) && (await checkFiles(folder, manifest, check, work));
  if (manifest && isWhole) await checkModel(folder, manifest, check, work);
  return { ok: checks.every((one) => one.ok), checks };
}

type Check = (name: string, ok: boolean, detail: string) => boolean;

async function readManifest(folder: string, check: Check): Promise<BundleManifest | null> {
  const path = join(folder, 'manifest.json');
  const facts = await lstat(path).catch(() =>
    refuse('bad-bundle', `${basename(folder)} is no bundle: it has no manifest.json.`),
  );
  if (!facts.isFile() || facts.size > most.manifestBytes) {
    check('manifest', false, 'manifest.json is not a file of a sane size.');
    return null;
  }
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch {
    check('manifest', false, 'manifest.json is not JSON.');
    return null;
  }
  const parsed = bundleManifest.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    check('manifest', false, `${issue.path.join('.')}: ${issue.message}.`);
    return null;
  }
  const { files, golden } = parsed.data;
  if (files.length > most.files || golden.length > most.golden) {
    check(
      'manifest',
      false,
      `It lists ${files.length} files and ${golden.length} golden pairs; ${most.files} and ${most.golden} are the limits.`,
    );
    return null;
  }
  check(
    'manifest',
    golden.length >= 3,
    `version 1, for the ${parsed.data.device.title}, ${golden.length} golden pairs`,
  );
  return golden.length >= 3 ? parsed.data : null;
}

/** Every path stays inside, and everything the manifest speaks of is listed. */
function checkPaths(manifest: BundleManifest, check: Check): boolean {
  const listed = new Set(manifest.files.map((file) => file.path));
  const named = [
    manifest.model.file,
    ...manifest.golden.flatMap((one) => [...Object.values(one.inputs), ...Object.values(one.outputs)]),
  ];
  const out = [...listed, ...named].find((path) => !isContained(path));
  if (out !== undefined) return check('paths', false, `"${out.slice(0, 80)}" leads out of the bundle.`);
  if (listed.size !== manifest.files.length) return check('paths', false, 'A file is listed twice.');
  const unlisted = named.find((path) => !listed.has(path));
  if (unlisted !== undefined) return check('paths', false, `${unlisted} is used and not listed.`);
  const model = manifest.files.find((file) => file.path === manifest.model.file)!;
  const agrees = model.sha256 === manifest.model.sha256 && model.bytes === manifest.model.bytes;
  return check('paths', agrees, agrees ? 'all inside the bundle' : 'The model is listed with two hashes.');
}

async function checkFiles(folder: string, manifest: BundleManifest, check: Check, work: Work): Promise<boolean> {
  const found = await listEverything(folder, most.files + 1);
  if (!found) return check('nothing else', false, `It holds more than ${most.files} files.`);
  const link = found.find((one) => one.kind !== 'file');
  if (link)
    return check('nothing else', false, `${link.path} is ${link.kind === 'link' ? 'a link' : 'no plain file'}.`);
  const listed = new Set(['manifest.json', ...manifest.files.map((file) => file.path)]);
  const extra = found.find((one) => !listed.has(one.path));
  const isAlone = check('nothing else', !extra, extra ? `${extra.path} is not listed.` : 'no other files');

  const present = new Set(found.map((one) => one.path));
  let bytes = 0;
  for (const file of manifest.files) {
    if (!present.has(file.path)) return check('files', false, `${file.path} is missing.`);
    const { size } = await lstat(join(folder, file.path));
    if (size !== file.bytes) return check('files', false, `${file.path} has ${size} bytes instead of ${file.bytes}.`);
    const { sha256 } = await hashFile(join(folder, file.path), () => stopIfAborted(work));
    if (sha256 !== file.sha256) return check('files', false, `${file.path} is not the file that was exported.`);
    bytes += size;
  }
  return (
    check('files', true, `${manifest.files.length} files, ${bytes.toLocaleString('en')} bytes, as exported`) && isAlone
  );
}

async function checkModel(folder: string, manifest: BundleManifest, check: Check, work: Work): Promise<void> {
  const path = join(folder, manifest.model.file);
  let session: Session;
  try {
    // Opened by our own reader first: it holds external data inside the folder before the runtime follows it.
    const { files } = await openFormat(path);
    const listed = new Set(manifest.files.map((file) => file.path));
    const foreign = files.map((file) => relative(folder, file).split(sep).join('/')).find((file) => !listed.has(file));
    if (foreign !== undefined) {
      check('loads', false, `The model reads ${foreign}, which is not listed.`);
      return;
    }
    work.emit({ kind: 'doing', what: 'loading the bundled model' });
    session = await openSession(path);
  } catch (error) {
    check('loads', false, sentenceOf(error));
    return;
  }
  try {
    check('loads', true, `the runtime takes it on ${process.platform} ${process.arch}`);
    const isSame = samePorts(manifest, session);
    if (!check('inputs and outputs', isSame, isSame ? 'as the manifest says' : 'They are not those of the manifest.'))
      return;
    for (const [index, golden] of manifest.golden.entries()) {
      stopIfAborted(work);
      await checkGolden(folder, manifest, golden, `golden ${index + 1}`, session, check);
    }
    await checkSpeed(folder, manifest, session, check, work);
  } finally {
    await session.close();
  }
}

function samePorts(manifest: BundleManifest, session: Session): boolean {
  const line = (ports: readonly { name: string; dtype: string | null }[]) =>
    ports.map((port) => `${port.name} ${port.dtype}`).join('\n');
  return line(manifest.inputs) === line(session.inputs) && line(manifest.outputs) === line(session.outputs);
}

async function checkGolden(
  folder: string,
  manifest: BundleManifest,
  golden: BundleManifest['golden'][number],
  name: string,
  session: Session,
  check: Check,
): Promise<void> {
  try {
    const given = await session.run(await readArrays(folder, golden.inputs));
    const expected = await readArrays(folder, golden.outputs);
    let worst = 0;
    let hasSameAnswer = true;
    let isNear = true;
    for (const { name: output, tolerance } of manifest.outputs) {
      const wanted = expected[output];
      if (!wanted) throw new Refused({ code: 'bad-bundle', sentence: `No golden output is recorded for "${output}".` });
      const far = distance(wanted, given[output]!);
      worst = Math.max(worst, far);
      isNear &&= tolerance.kind === 'exact' ? far === 0 : far <= tolerance.value;
      hasSameAnswer &&= !tolerance.argmax || argmaxes(wanted).join() === argmaxes(given[output]!).join();
    }
    const off = worst === 0 ? 'equal' : `off by ${worst.toExponential(1)} of the largest number`;
    check(name, isNear && hasSameAnswer, hasSameAnswer ? off : `${off}, and the answer differs`);
  } catch (error) {
    check(name, false, sentenceOf(error));
  }
}

async function readArrays(folder: string, paths: Record<string, string>): Promise<Feeds> {
  const feeds: Feeds = {};
  for (const [name, path] of Object.entries(paths)) {
    const handle = await open(join(folder, path));
    try {
      const { size } = await handle.stat();
      if (size > most.goldenBytes) refuse('bad-bundle', `${path} is larger than a golden file ever is.`);
      feeds[name] = decodeNpy(await handle.readFile(), path);
    } finally {
      await handle.close();
    }
  }
  return feeds;
}

/** Told, not judged: how fast it is where it is being verified. */
async function checkSpeed(
  folder: string,
  manifest: BundleManifest,
  session: Session,
  check: Check,
  work: Work,
): Promise<void> {
  try {
    const feeds = await readArrays(folder, manifest.golden[0]!.inputs);
    const first = Object.values(feeds)[0];
    const request = {
      batch: first?.dims[0] ?? 1,
      threads: physicalCores(),
      warmup: 3,
      runs: 20,
      onRun: () => stopIfAborted(work),
    };
    const { p50, p95, runs, threads } = await measureLatency(session, feeds, request);
    check(
      'speed',
      true,
      `${p50.toFixed(3)} ms here (median of ${runs}), ${p95.toFixed(3)} ms (95th percentile), ${threads} threads`,
    );
  } catch (error) {
    check('speed', false, sentenceOf(error));
  }
}

function sentenceOf(error: unknown): string {
  if (error instanceof Failure) return error.sentence;
  if (error instanceof Refused && error.refusal.code !== 'cancelled') return error.refusal.sentence;
  throw error;
}

function stopIfAborted(work: Work): void {
  if (work.signal.aborted) refuse('cancelled', 'The verification was cancelled.');
}
