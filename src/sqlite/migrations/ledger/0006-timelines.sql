-- What the ledger did for a call while it was live, in its order: a JSON array of ["held", instant, what
-- was held from then on] and ["warned", instant]. Calls that have begun before have none, and get none.
ALTER TABLE call ADD COLUMN timeline TEXT;
ALTER TABLE cdr ADD COLUMN timeline TEXT;
