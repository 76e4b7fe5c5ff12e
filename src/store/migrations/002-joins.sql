CREATE TABLE joins (
  hash       TEXT    PRIMARY KEY,
  machine    TEXT    NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER
) STRICT;
