-- A failed run that somebody has seen; it stays in the history and leaves the lists of what needs a look.
alter table run add column cleared_at timestamptz(3);
