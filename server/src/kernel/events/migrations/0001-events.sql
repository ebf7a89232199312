create schema events;

-- Transactional outbox: rows are inserted without numbers by the transaction of the change that they tell of. The
-- sequencer numbers what was committed: "position" over all channels, "seq" within the channel, both without a gap.
create table events.outbox (
  id text primary key,
  insertion bigint generated always as identity,
  position bigint unique,
  channel text not null,
  seq bigint,
  source text not null,
  type text not null,
  subject text not null,
  time timestamptz(3) not null,
  data jsonb not null,
  unique (channel, seq)
);
create index outbox_unnumbered on events.outbox (insertion) where position is null;

-- The last number given out, so that pruning never makes a number come twice. Partition '' numbers the whole stream.
create table events.sequences (
  stream text not null,
  partition text not null,
  last bigint not null,
  primary key (stream, partition)
);

-- How far each durable consumer has come. "attempts" counts how often the event after "position" was begun.
create table events.cursors (
  consumer text primary key,
  position bigint not null,
  attempts integer not null default 0
);

-- Events that a consumer could not handle in any of its attempts; kept whole, as the outbox is pruned. "is_retried"
-- asks the consumer to try once more.
create table events.parked (
  consumer text not null,
  position bigint not null,
  event jsonb not null,
  attempts integer not null,
  error text not null,
  parked_at timestamptz(3) not null,
  is_retried boolean not null default false,
  primary key (consumer, position)
);
