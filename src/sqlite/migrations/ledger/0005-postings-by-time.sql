-- What people posted, by time: for the figures of a day. Calls have that in their CDRs, and cost nothing here.
CREATE INDEX entry_posted ON entry (at) WHERE kind IN ('top_up', 'adjustment', 'refund');
