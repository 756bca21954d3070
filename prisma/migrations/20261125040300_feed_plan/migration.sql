-- A numbering looks at a few thousand photos by their ids. Right after a bulk load the planner knows nothing of the tables and would read them whole for each
-- batch; looking rows up one by one is never far from the best.
alter function number_feed(integer) set enable_seqscan = off;
alter function number_feed(integer) set enable_hashjoin = off;
alter function number_feed(integer) set enable_mergejoin = off;
