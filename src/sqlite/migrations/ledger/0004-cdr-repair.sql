-- What the records of mod_json_cdr tell that events did not: see docs/cdr-repair.md.

-- The exact end of a call whose CDR says that its end was lost. The CDR itself stays as it is.
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

CREATE TRIGGER correction_is_not_updated BEFORE UPDATE ON correction
  BEGIN SELECT RAISE(ABORT, 'a correction is never changed'); END;
CREATE TRIGGER correction_is_not_deleted BEFORE DELETE ON correction
  BEGIN SELECT RAISE(ABORT, 'a correction is never deleted'); END;

-- The CDRs as they are known now. What the carrier charges for the rest of a call is not.
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

-- Records of legs that were not known when they came. They wait a while, for the events of the leg
-- may be late; what is not known then either, is the operator's to decide.
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

CREATE INDEX unseen_call_waiting ON unseen_call (received_at)
  WHERE state = 'waiting' AND account IS NOT NULL;
CREATE INDEX unseen_call_payerless ON unseen_call (other_leg) WHERE account IS NULL;
CREATE INDEX unseen_call_state ON unseen_call (state, ended_at);

-- The codes of A-legs whose records came before those of legs that may have to pay for them.
CREATE TABLE a_leg (
  leg_id TEXT PRIMARY KEY CHECK (leg_id <> ''),
  -- NULL for a leg that had none.
  code TEXT,
  received_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX a_leg_received_at ON a_leg (received_at);
