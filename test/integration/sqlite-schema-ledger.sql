CREATE TABLE account (
  id INTEGER PRIMARY KEY,
  code TEXT NOT NULL UNIQUE CHECK (code <> ''),
  name TEXT NOT NULL,
  plan TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'closed')),
  credit_limit INTEGER NOT NULL CHECK (credit_limit BETWEEN 0 AND 9007199254740991),
  -- The sum of the account's entries.
  balance INTEGER NOT NULL CHECK (balance BETWEEN -9007199254740991 AND 9007199254740991),
  -- The sum of the holds of its live calls.
  held INTEGER NOT NULL CHECK (held BETWEEN 0 AND 9007199254740991),
  created_at INTEGER NOT NULL,
  CONSTRAINT available_is_never_negative CHECK (balance + credit_limit - held >= 0),
  CONSTRAINT credit_is_bounded CHECK (balance + credit_limit <= 9007199254740991)
) STRICT;

CREATE TABLE call (
  id INTEGER PRIMARY KEY,
  leg_id TEXT NOT NULL UNIQUE CHECK (leg_id <> ''),
  account_id INTEGER NOT NULL REFERENCES account,
  switch TEXT NOT NULL,
  core_uuid TEXT NOT NULL,
  dialled TEXT NOT NULL,
  other_leg TEXT,
  created_at INTEGER NOT NULL,
  plan TEXT NOT NULL,
  number TEXT NOT NULL,
  prefix TEXT NOT NULL,
  description TEXT NOT NULL,
  per_minute INTEGER NOT NULL CHECK (per_minute >= 0),
  setup INTEGER NOT NULL CHECK (setup >= 0),
  minimum INTEGER NOT NULL CHECK (minimum > 0),
  increment INTEGER NOT NULL CHECK (increment > 0),
  answered_at INTEGER,
  held INTEGER NOT NULL CHECK (held BETWEEN 0 AND 9007199254740991),
  raises INTEGER NOT NULL CHECK (raises > 0)
) STRICT;

CREATE TABLE cdr (
  id INTEGER PRIMARY KEY,
  leg_id TEXT NOT NULL UNIQUE CHECK (leg_id <> ''),
  account TEXT NOT NULL,
  switch TEXT NOT NULL,
  core_uuid TEXT NOT NULL,
  dialled TEXT NOT NULL,
  other_leg TEXT,
  created_at INTEGER NOT NULL,
  plan TEXT,
  number TEXT,
  prefix TEXT,
  description TEXT,
  per_minute INTEGER,
  setup INTEGER,
  minimum INTEGER,
  increment INTEGER,
  answered_at INTEGER,
  ended_at INTEGER NOT NULL,
  billed_s INTEGER NOT NULL CHECK (billed_s >= 0),
  outcome TEXT NOT NULL CHECK (outcome IN ('completed', 'unanswered', 'refused', 'cut_off')),
  reason TEXT,
  cause TEXT NOT NULL,
  cost INTEGER NOT NULL CHECK (cost BETWEEN 0 AND 9007199254740991),
  held INTEGER NOT NULL CHECK (held BETWEEN 0 AND 9007199254740991),
  write_off INTEGER NOT NULL CHECK (write_off BETWEEN 0 AND 9007199254740991),
  CONSTRAINT cost_is_held CHECK (cost <= held),
  CONSTRAINT rate_is_whole CHECK (
    (prefix IS NULL) + (description IS NULL) + (per_minute IS NULL) + (setup IS NULL)
      + (minimum IS NULL) + (increment IS NULL) IN (0, 6)
  )
) STRICT;

CREATE TABLE entry (
  id INTEGER PRIMARY KEY,
  account_id INTEGER REFERENCES account,
  kind TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount BETWEEN -9007199254740991 AND 9007199254740991),
  balance_after INTEGER,
  reference TEXT NOT NULL CHECK (reference <> ''),
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  CONSTRAINT kind_and_sign CHECK (
    CASE kind
      WHEN 'top_up' THEN amount > 0
      WHEN 'adjustment' THEN amount <> 0
      WHEN 'call' THEN amount < 0
      WHEN 'write_off' THEN amount > 0
      ELSE 0
    END
  ),
  CONSTRAINT write_off_is_nobodys CHECK ((kind = 'write_off') = (account_id IS NULL)),
  CONSTRAINT balance_is_somebodys CHECK ((balance_after IS NULL) = (account_id IS NULL))
) STRICT;

CREATE TABLE switch_run (
  switch TEXT NOT NULL,
  core_uuid TEXT NOT NULL,
  heard_at INTEGER NOT NULL,
  PRIMARY KEY (switch, core_uuid)
) STRICT, WITHOUT ROWID;

CREATE INDEX cdr_account ON cdr (account, ended_at);

CREATE INDEX cdr_ended_at ON cdr (ended_at);

CREATE TRIGGER cdr_is_not_deleted BEFORE DELETE ON cdr
  BEGIN SELECT RAISE(ABORT, 'a CDR is never deleted'); END;

CREATE TRIGGER cdr_is_not_updated BEFORE UPDATE ON cdr
  BEGIN SELECT RAISE(ABORT, 'a CDR is never changed'); END;

CREATE INDEX entry_account ON entry (account_id, id) WHERE account_id IS NOT NULL;

CREATE TRIGGER entry_is_not_deleted BEFORE DELETE ON entry
  BEGIN SELECT RAISE(ABORT, 'an entry is never deleted'); END;

CREATE TRIGGER entry_is_not_updated BEFORE UPDATE ON entry
  BEGIN SELECT RAISE(ABORT, 'an entry is never changed'); END;

CREATE UNIQUE INDEX entry_reference ON entry (account_id, reference)
  WHERE kind IN ('top_up', 'adjustment');
