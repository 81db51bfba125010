-- SIP accounts: who may register with a switch, and the account that pays for their calls.

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

CREATE INDEX sip_account_account ON sip_account (account_id);
