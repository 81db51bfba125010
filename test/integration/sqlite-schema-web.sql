CREATE TABLE answer (
  principal TEXT NOT NULL,
  key TEXT NOT NULL,
  request TEXT NOT NULL,
  status INTEGER,
  body TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (principal, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL CHECK (actor <> ''),
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  before TEXT,
  after TEXT
) STRICT;

CREATE TABLE link (
  hash TEXT PRIMARY KEY,
  purpose TEXT NOT NULL CHECK (purpose IN ('set_up', 'password')),
  user_id INTEGER REFERENCES user ON DELETE CASCADE CHECK ((user_id IS NULL) = (purpose = 'set_up')),
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pin (
  account TEXT PRIMARY KEY CHECK (account <> ''),
  hash TEXT NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
  hash TEXT PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
  csrf TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
  name TEXT PRIMARY KEY COLLATE NOCASE CHECK (name <> ''),
  hash TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'read_only')),
  -- With blanks between them.
  scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_at INTEGER
) STRICT;

CREATE TABLE user (
  -- Never used again: actors in the books stay the ones they were.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (name <> ''),
  role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'read_only', 'account_holder')),
  -- The one that an account holder sees.
  account TEXT CHECK ((account IS NOT NULL) = (role = 'account_holder')),
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  -- scrypt$N$r$p$salt$hash; NULL until it is chosen.
  password TEXT,
  created_at INTEGER NOT NULL,
  last_login_at INTEGER
) STRICT;

CREATE INDEX answer_at ON answer (at);

CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
  BEGIN SELECT RAISE(ABORT, 'an audit record is never deleted'); END;

CREATE TRIGGER audit_is_not_updated BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'an audit record is never changed'); END;

CREATE INDEX audit_subject ON audit (subject, id);

CREATE INDEX session_user ON session (user_id);
