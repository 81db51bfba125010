CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL CHECK (actor <> ''),
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  before TEXT,
  after TEXT
) STRICT;

CREATE TABLE deck (
  -- Never used again, so that whoever reads a deck in pieces notices when it is gone.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  rates INTEGER NOT NULL CHECK (rates >= 0),
  -- How often a single rate of it was added or deleted.
  changes INTEGER NOT NULL CHECK (changes >= 0)
, filled_at INTEGER NOT NULL DEFAULT 0, doomed INTEGER NOT NULL DEFAULT 0 CHECK (doomed IN (0, 1))) STRICT;

CREATE TABLE period (
  plan TEXT NOT NULL REFERENCES plan,
  name TEXT NOT NULL CHECK (name <> ''),
  -- mon-fri 08:00-20:00
  hours TEXT NOT NULL CHECK (hours <> ''),
  PRIMARY KEY (plan, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE plan (
  name TEXT PRIMARY KEY CHECK (name <> ''),
  deck_id INTEGER NOT NULL UNIQUE REFERENCES deck,
  -- The time zone that its periods are in.
  zone TEXT NOT NULL DEFAULT 'UTC' CHECK (zone <> ''),
  -- What the carrier charges.
  cost_plan TEXT REFERENCES plan CHECK (cost_plan <> name),
  refuse_loss INTEGER NOT NULL DEFAULT 0 CHECK (refuse_loss IN (0, 1)),
  tech_prefix TEXT NOT NULL DEFAULT '' CHECK (length(tech_prefix) <= 32),
  -- Ways to dial abroad, with commas between them.
  international TEXT NOT NULL DEFAULT '00,011'
    CHECK (length(international) <= 100 AND international NOT GLOB '*[^0-9,]*'),
  country_code TEXT NOT NULL DEFAULT ''
    CHECK (length(country_code) <= 3 AND country_code NOT GLOB '*[^0-9]*'),
  trunk_prefix TEXT NOT NULL DEFAULT ''
    CHECK (length(trunk_prefix) <= 8 AND trunk_prefix NOT GLOB '*[^0-9]*'),
  national_digits INTEGER CHECK (national_digits BETWEEN 1 AND 32),
  -- How often it was changed, its rates apart.
  changes INTEGER NOT NULL DEFAULT 0 CHECK (changes >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE rate (
  deck_id INTEGER NOT NULL REFERENCES deck,
  prefix TEXT NOT NULL CHECK (length(prefix) <= 32 AND prefix NOT GLOB '*[^0-9]*'),
  -- Empty for the rates that are in force whenever none of a period is.
  period TEXT NOT NULL CHECK (length(period) <= 64),
  effective_from INTEGER NOT NULL CHECK (effective_from BETWEEN 0 AND 9007199254740991),
  effective_until INTEGER CHECK (effective_until BETWEEN 1 AND 9007199254740991),
  description TEXT NOT NULL CHECK (length(description) <= 200),
  per_minute INTEGER NOT NULL CHECK (per_minute BETWEEN 0 AND 1000000000000),
  setup INTEGER NOT NULL CHECK (setup BETWEEN 0 AND 1000000000000),
  minimum INTEGER NOT NULL CHECK (minimum BETWEEN 1 AND 86400),
  increment INTEGER NOT NULL CHECK (increment BETWEEN 1 AND 86400),
  free_s INTEGER NOT NULL CHECK (free_s BETWEEN 0 AND 86400),
  -- Calls are refused; the description says why.
  blocked INTEGER NOT NULL CHECK (blocked IN (0, 1)),
  PRIMARY KEY (deck_id, prefix, period, effective_from),
  CONSTRAINT it_ends_after_it_begins CHECK (effective_until > effective_from),
  CONSTRAINT blocked_has_no_price CHECK (blocked = 0 OR (per_minute = 0 AND setup = 0))
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
  BEGIN SELECT RAISE(ABORT, 'an audit record is never deleted'); END;

CREATE TRIGGER audit_is_not_updated BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'an audit record is never changed'); END;

CREATE INDEX audit_subject ON audit (subject, id);

CREATE INDEX plan_cost_plan ON plan (cost_plan) WHERE cost_plan IS NOT NULL;

CREATE INDEX rate_period ON rate (deck_id, period) WHERE period <> '';
