-- A day begins with nothing spent where no later one has begun: so no index by the time of calls is needed.
-- The latest day on which the account paid for calls, or that was begun for it: a date in its time zone.
ALTER TABLE account ADD COLUMN latest_day TEXT NOT NULL DEFAULT '';

UPDATE account SET latest_day = max(spent_on, coalesce((SELECT local_date(max(at), time_zone) FROM entry
  WHERE account_id = account.id AND kind = 'call'), ''));

DROP INDEX entry_call;
