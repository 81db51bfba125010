-- Limits of accounts, refunds of calls, what carriers charge, and the record of who changed what.
-- A limit that is NULL does not hold.

CREATE TABLE account_new (
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
  created_at INTEGER NOT NULL,
  CONSTRAINT available_is_never_negative CHECK (balance + credit_limit - held >= 0),
  CONSTRAINT credit_is_bounded CHECK (balance + credit_limit <= 9007199254740991)
) STRICT;

INSERT INTO account_new (id, code, name, plan, state, credit_limit, balance, held, live_calls, created_at)
  SELECT id, code, name, plan, state, credit_limit, balance, held,
    (SELECT count(*) FROM call WHERE account_id = account.id), created_at
  FROM account;
DROP TABLE account;
ALTER TABLE account_new RENAME TO account;

ALTER TABLE call ADD COLUMN free_s INTEGER NOT NULL DEFAULT 0 CHECK (free_s >= 0);
-- The rest of its tariff, as JSON: what the carrier charges, what comes later, its longest time.
ALTER TABLE call ADD COLUMN terms TEXT;

ALTER TABLE cdr ADD COLUMN free_s INTEGER;
ALTER TABLE cdr ADD COLUMN carrier_cost INTEGER CHECK (carrier_cost >= 0);

CREATE TABLE entry_new (
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

INSERT INTO entry_new (id, account_id, kind, amount, balance_after, reference, actor, reason, at)
  SELECT id, account_id, kind, amount, balance_after, reference, actor, reason, at FROM entry;
DROP TABLE entry;
ALTER TABLE entry_new RENAME TO entry;

-- The idempotency of postings.
CREATE UNIQUE INDEX entry_reference ON entry (account_id, reference)
  WHERE kind IN ('top_up', 'adjustment', 'refund');
-- Statements, and the audit of every account's running balance.
CREATE INDEX entry_account ON entry (account_id, id) WHERE account_id IS NOT NULL;
-- What an account has spent on a day.
CREATE INDEX entry_call ON entry (account_id, at) WHERE kind = 'call';
CREATE INDEX entry_refund ON entry (call_id) WHERE call_id IS NOT NULL;

CREATE TRIGGER entry_is_not_updated BEFORE UPDATE ON entry
  BEGIN SELECT RAISE(ABORT, 'an entry is never changed'); END;
CREATE TRIGGER entry_is_not_deleted BEFORE DELETE ON entry
  BEGIN SELECT RAISE(ABORT, 'an entry is never deleted'); END;

CREATE INDEX cdr_outcome ON cdr (outcome, ended_at) WHERE outcome IN ('refused', 'cut_off');

-- Who changed what. `before` and `after` are JSON.
CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL CHECK (actor <> ''),
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  before TEXT,
  after TEXT
) STRICT;

CREATE INDEX audit_subject ON audit (subject, id);

CREATE TRIGGER audit_is_not_updated BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'an audit record is never changed'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
  BEGIN SELECT RAISE(ABORT, 'an audit record is never deleted'); END;
