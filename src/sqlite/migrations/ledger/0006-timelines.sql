-- What the ledger did for a call while it was live, in its order: a JSON array of ["held", instant, what
-- was held from then on] and ["warned", instant]. The CDRs of older calls have none.
ALTER TABLE call ADD COLUMN timeline TEXT NOT NULL DEFAULT '[]';
ALTER TABLE cdr ADD COLUMN timeline TEXT;
