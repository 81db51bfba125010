CREATE TABLE deck (
  -- Never used again, so that whoever reads a deck in pieces notices when it is gone.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  rates INTEGER NOT NULL CHECK (rates >= 0),
  -- How often a single rate of it was added or deleted.
  changes INTEGER NOT NULL CHECK (changes >= 0)
) STRICT;

CREATE TABLE plan (
  name TEXT PRIMARY KEY CHECK (name <> ''),
  deck_id INTEGER NOT NULL UNIQUE REFERENCES deck
) STRICT, WITHOUT ROWID;

CREATE TABLE rate (
  deck_id INTEGER NOT NULL REFERENCES deck,
  prefix TEXT NOT NULL CHECK (length(prefix) <= 32 AND prefix NOT GLOB '*[^0-9]*'),
  description TEXT NOT NULL,
  per_minute INTEGER NOT NULL CHECK (per_minute BETWEEN 0 AND 1000000000000),
  setup INTEGER NOT NULL CHECK (setup BETWEEN 0 AND 1000000000000),
  minimum INTEGER NOT NULL CHECK (minimum BETWEEN 1 AND 86400),
  increment INTEGER NOT NULL CHECK (increment BETWEEN 1 AND 86400),
  PRIMARY KEY (deck_id, prefix)
) STRICT, WITHOUT ROWID;
