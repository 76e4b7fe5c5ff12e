CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  at       TEXT    NOT NULL,
  type     TEXT    NOT NULL,
  version  INTEGER NOT NULL,
  data     TEXT    NOT NULL
) STRICT;

CREATE TABLE tokens (
  hash       TEXT PRIMARY KEY,
  role       TEXT NOT NULL CHECK (role IN ('operator', 'reader', 'agent')),
  machine    TEXT,
  name       TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;
