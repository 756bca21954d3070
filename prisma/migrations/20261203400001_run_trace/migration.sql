-- The span that started a run, as W3C traceparent, and whether the run belongs to its trace.
alter table run add column trace_parent text;
alter table run add column same_trace boolean not null default false;
