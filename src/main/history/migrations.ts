// The schema of the history as numbered steps. A step that was released is never edited; a change is a new step at the end.
const ground = `
  -- Who has this workspace open. A host writes its heartbeat; a host whose process is gone is swept by the others.
  CREATE TABLE hosts (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, pid INTEGER NOT NULL,
    started TEXT NOT NULL, boot TEXT NOT NULL, heartbeat INTEGER NOT NULL
  ) STRICT;

  -- Whose turn it is at the bench: the lowest ticket of a living host holds it.
  -- writes: the path outside the workspace that the job is about to write, so that what it leaves half-done can be found.
  CREATE TABLE tickets (
    id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL REFERENCES hosts(id) ON DELETE CASCADE,
    what TEXT NOT NULL, writes TEXT
  ) STRICT;

  -- A model as it was when it was opened. files: what was seen; entries: what was hashed.
  CREATE TABLE models (
    id TEXT PRIMARY KEY, revision INTEGER NOT NULL DEFAULT 1, path TEXT NOT NULL, name TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('referenced', 'stored', 'artifact', 'sample')),
    run_id TEXT, opened_at TEXT NOT NULL, header TEXT NOT NULL, sha256 TEXT,
    summary TEXT NOT NULL, layers TEXT NOT NULL, operators TEXT NOT NULL, notes TEXT NOT NULL,
    files TEXT NOT NULL, entries TEXT
  ) STRICT;
  CREATE INDEX models_by_path ON models(path);
  CREATE INDEX models_by_sha256 ON models(sha256);

  CREATE TABLE datasets (
    id TEXT PRIMARY KEY, path TEXT NOT NULL, preset TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('referenced', 'stored', 'sample')),
    opened_at TEXT NOT NULL, fingerprint TEXT NOT NULL, summary TEXT NOT NULL, files TEXT NOT NULL,
    UNIQUE (path, preset)
  ) STRICT;

  -- Written by the queue alone. ask: what else the job was told (limit, split, batch ...).
  CREATE TABLE runs (
    id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, revision INTEGER NOT NULL DEFAULT 1,
    kind TEXT NOT NULL CHECK (kind IN ('compress', 'evaluate', 'replay')),
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled', 'interrupted')),
    owner TEXT REFERENCES hosts(id) ON DELETE SET NULL,
    created_at TEXT NOT NULL, started_at TEXT, finished_at TEXT,
    model_id TEXT NOT NULL, model TEXT NOT NULL, model_sha256 TEXT, recipe TEXT NOT NULL,
    dataset_id TEXT, dataset TEXT, seed INTEGER NOT NULL, parent_id TEXT, ask TEXT NOT NULL,
    bytes INTEGER, metric TEXT, value REAL, artifact_model_id TEXT,
    progress TEXT, error TEXT, document TEXT, evaluation TEXT
  ) STRICT;
  CREATE INDEX runs_by_owner ON runs(owner) WHERE state IN ('queued', 'running');

  CREATE TABLE run_logs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    at TEXT NOT NULL, level TEXT NOT NULL, text TEXT NOT NULL, layer TEXT
  ) STRICT;
  CREATE INDEX run_logs_by_run ON run_logs(run_id, seq);

  -- What another host asks the owner of a run to do with it.
  CREATE TABLE wishes (
    run_id TEXT PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE, wish TEXT NOT NULL CHECK (wish IN ('cancel', 'stop'))
  ) STRICT;

  -- key: the model's SHA-256, or 'header:' and the hash of its header while that is not known.
  CREATE TABLE statistics (key TEXT NOT NULL, layer TEXT NOT NULL, stats TEXT NOT NULL, PRIMARY KEY (key, layer))
    STRICT, WITHOUT ROWID;

  -- Quality of a model as it is; build: the engine and machine that measured it.
  CREATE TABLE baselines (
    model_sha256 TEXT NOT NULL, fingerprint TEXT NOT NULL, sample_limit INTEGER NOT NULL, build TEXT NOT NULL,
    measured_at TEXT NOT NULL, evaluation TEXT NOT NULL, PRIMARY KEY (model_sha256, fingerprint, sample_limit, build)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE describes (build TEXT PRIMARY KEY, answer TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

export const migrations: readonly string[] = [ground];
