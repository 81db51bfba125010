CREATE TABLE a_leg (
  leg_id TEXT PRIMARY KEY CHECK (leg_id <> ''),
  -- NULL for a leg that had none.
  code TEXT,
  received_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE "account" (
  id INTEGER PRIMARY KEY,
  code TEXT NOT NULL UNIQUE CHECK (code <> ''),
  name TEXT NOT NULL,
  plan TEXT NOT NULL,
  -- A plan whose rates come in front of the plan's.
  special_plan TEXT,
  state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'closed')),
  notes TEXT NOT NULL DEFAULT '',
  -- Its days begin at midnight there.
  time_zone TEXT NOT NULL DEFAULT 'UTC',
  credit_limit INTEGER NOT NULL CHECK (credit_limit BETWEEN 0 AND 9007199254740991),
  max_calls INTEGER CHECK (max_calls >= 0),
  max_calls_per_second INTEGER CHECK (max_calls_per_second >= 0),
  max_per_minute INTEGER CHECK (max_per_minute >= 0),
  max_spend_per_call INTEGER CHECK (max_spend_per_call >= 0),
  max_spend_per_day INTEGER CHECK (max_spend_per_day >= 0),
  longest_call_s INTEGER CHECK (longest_call_s > 0),
  low_balance INTEGER,
  -- The sum of the account's entries.
  balance INTEGER NOT NULL CHECK (balance BETWEEN -9007199254740991 AND 9007199254740991),
  -- The sum of the holds of its live calls, and how many they are.
  held INTEGER NOT NULL CHECK (held BETWEEN 0 AND 9007199254740991),
  live_calls INTEGER NOT NULL DEFAULT 0 CHECK (live_calls >= 0),
  -- What the calls cost that were settled on that day, a date in its time zone.
  spent INTEGER NOT NULL DEFAULT 0 CHECK (spent BETWEEN 0 AND 9007199254740991),
  spent_on TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL, latest_day TEXT NOT NULL DEFAULT '',
  CONSTRAINT available_is_never_negative CHECK (balance + credit_limit - held >= 0),
  CONSTRAINT credit_is_bounded CHECK (balance + credit_limit <= 9007199254740991)
) STRICT;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL CHECK (actor <> ''),
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  before TEXT,
  after TEXT
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
, free_s INTEGER NOT NULL DEFAULT 0 CHECK (free_s >= 0), terms TEXT, timeline TEXT) STRICT;

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
  write_off INTEGER NOT NULL CHECK (write_off BETWEEN 0 AND 9007199254740991), free_s INTEGER, carrier_cost INTEGER CHECK (carrier_cost >= 0), timeline TEXT,
  CONSTRAINT cost_is_held CHECK (cost <= held),
  CONSTRAINT rate_is_whole CHECK (
    (prefix IS NULL) + (description IS NULL) + (per_minute IS NULL) + (setup IS NULL)
      + (minimum IS NULL) + (increment IS NULL) IN (0, 6)
  )
) STRICT;

CREATE TABLE correction (
  leg_id TEXT PRIMARY KEY REFERENCES cdr (leg_id),
  answered_at INTEGER,
  ended_at INTEGER NOT NULL,
  billed_s INTEGER NOT NULL CHECK (billed_s >= 0),
  outcome TEXT NOT NULL CHECK (outcome IN ('completed', 'unanswered', 'refused', 'cut_off')),
  reason TEXT,
  cause TEXT NOT NULL,
  -- All that the call cost and that was written off: what the CDR says, and what was booked later.
  cost INTEGER NOT NULL CHECK (cost BETWEEN 0 AND 9007199254740991),
  write_off INTEGER NOT NULL CHECK (write_off BETWEEN 0 AND 9007199254740991),
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE "entry" (
  id INTEGER PRIMARY KEY,
  account_id INTEGER REFERENCES account,
  kind TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount BETWEEN -9007199254740991 AND 9007199254740991),
  balance_after INTEGER,
  reference TEXT NOT NULL CHECK (reference <> ''),
  -- The call that is refunded.
  call_id TEXT,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  CONSTRAINT kind_and_sign CHECK (
    CASE kind
      WHEN 'top_up' THEN amount > 0
      WHEN 'adjustment' THEN amount <> 0
      WHEN 'refund' THEN amount > 0
      WHEN 'call' THEN amount < 0
      WHEN 'write_off' THEN amount > 0
      ELSE 0
    END
  ),
  CONSTRAINT refund_is_of_a_call CHECK ((kind = 'refund') = (call_id IS NOT NULL)),
  CONSTRAINT write_off_is_nobodys CHECK ((kind = 'write_off') = (account_id IS NULL)),
  CONSTRAINT balance_is_somebodys CHECK ((balance_after IS NULL) = (account_id IS NULL))
) STRICT;

CREATE TABLE sip_account (
  id INTEGER PRIMARY KEY,
  -- In small letters.
  domain TEXT NOT NULL CHECK (domain <> ''),
  -- FreeSWITCH finds users whatever the case, so two that differ by it alone would be one.
  user TEXT NOT NULL COLLATE NOCASE CHECK (user <> ''),
  account_id INTEGER NOT NULL REFERENCES account,
  -- md5("user:domain:password"). The password itself is nowhere.
  a1_hash TEXT NOT NULL CHECK (length(a1_hash) = 32 AND a1_hash NOT GLOB '*[^0-9a-f]*'),
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (domain, user)
) STRICT;

CREATE TABLE switch_run (
  switch TEXT NOT NULL,
  core_uuid TEXT NOT NULL,
  heard_at INTEGER NOT NULL,
  PRIMARY KEY (switch, core_uuid)
) STRICT, WITHOUT ROWID;

CREATE TABLE unseen_call (
  leg_id TEXT PRIMARY KEY CHECK (leg_id <> ''),
  -- Who pays. NULL while the record of its A-leg has not told.
  account TEXT,
  switch TEXT NOT NULL,
  core_uuid TEXT NOT NULL,
  dialled TEXT NOT NULL,
  other_leg TEXT,
  created_at INTEGER NOT NULL,
  answered_at INTEGER,
  ended_at INTEGER NOT NULL,
  cause TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'open', 'charged', 'dismissed')),
  decided_at INTEGER,
  decided_by TEXT,
  reason TEXT NOT NULL DEFAULT '',
  CONSTRAINT decided_by_somebody CHECK (
    (state IN ('charged', 'dismissed')) = (decided_by IS NOT NULL)
      AND (decided_by IS NULL) = (decided_at IS NULL)
  ),
  CONSTRAINT only_what_pays_is_decided CHECK (state = 'waiting' OR account IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX a_leg_received_at ON a_leg (received_at);

CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
  BEGIN SELECT RAISE(ABORT, 'an audit record is never deleted'); END;

CREATE TRIGGER audit_is_not_updated BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'an audit record is never changed'); END;

CREATE INDEX audit_subject ON audit (subject, id);

CREATE INDEX cdr_account ON cdr (account, ended_at);

CREATE INDEX cdr_ended_at ON cdr (ended_at);

CREATE TRIGGER cdr_is_not_deleted BEFORE DELETE ON cdr
  BEGIN SELECT RAISE(ABORT, 'a CDR is never deleted'); END;

CREATE TRIGGER cdr_is_not_updated BEFORE UPDATE ON cdr
  BEGIN SELECT RAISE(ABORT, 'a CDR is never changed'); END;

CREATE INDEX cdr_outcome ON cdr (outcome, ended_at) WHERE outcome IN ('refused', 'cut_off');

CREATE TRIGGER correction_is_not_deleted BEFORE DELETE ON correction
  BEGIN SELECT RAISE(ABORT, 'a correction is never deleted'); END;

CREATE TRIGGER correction_is_not_updated BEFORE UPDATE ON correction
  BEGIN SELECT RAISE(ABORT, 'a correction is never changed'); END;

CREATE VIEW ended_call AS
  SELECT id, leg_id, account, switch, core_uuid, dialled, other_leg, created_at, plan, number, prefix,
    description, per_minute, setup, minimum, increment, free_s, answered_at, ended_at, billed_s,
    carrier_cost, outcome, reason, cause, cost, held, write_off, 0 AS corrected
  FROM cdr WHERE NOT EXISTS (SELECT 1 FROM correction WHERE correction.leg_id = cdr.leg_id)
  UNION ALL
  SELECT id, cdr.leg_id, account, switch, core_uuid, dialled, other_leg, created_at, plan, number, prefix,
    description, per_minute, setup, minimum, increment, free_s, c.answered_at, c.ended_at, c.billed_s,
    CAST(NULL AS INTEGER), c.outcome, c.reason, c.cause, c.cost, held, c.write_off, 1
  FROM correction AS c CROSS JOIN cdr ON cdr.leg_id = c.leg_id;

CREATE INDEX entry_account ON entry (account_id, id) WHERE account_id IS NOT NULL;

CREATE TRIGGER entry_is_not_deleted BEFORE DELETE ON entry
  BEGIN SELECT RAISE(ABORT, 'an entry is never deleted'); END;

CREATE TRIGGER entry_is_not_updated BEFORE UPDATE ON entry
  BEGIN SELECT RAISE(ABORT, 'an entry is never changed'); END;

CREATE INDEX entry_posted ON entry (at) WHERE kind IN ('top_up', 'adjustment', 'refund');

CREATE UNIQUE INDEX entry_reference ON entry (account_id, reference)
  WHERE kind IN ('top_up', 'adjustment', 'refund');

CREATE INDEX entry_refund ON entry (call_id) WHERE call_id IS NOT NULL;

CREATE INDEX sip_account_account ON sip_account (account_id);

CREATE INDEX unseen_call_payerless ON unseen_call (other_leg) WHERE account IS NULL;

CREATE INDEX unseen_call_state ON unseen_call (state, ended_at);

CREATE INDEX unseen_call_waiting ON unseen_call (received_at)
  WHERE state = 'waiting' AND account IS NOT NULL;
