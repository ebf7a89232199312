create schema channels;

-- What is remembered of a channel of the configuration beside its deliveries.
create table channels.channels (
  name text primary key,
  -- Of its configuration: what was disabled is tried again once that is another.
  fingerprint text not null,
  disabled_reason text,
  dropped integer not null default 0
);

-- One row per message and channel. The id is the webhook-id, the same in every attempt.
create table channels.deliveries (
  id text primary key,
  channel text not null,
  topic text not null,
  mood text not null,
  subject text not null,
  title text not null,
  -- For people.
  body text not null,
  -- For programs: a CloudEvent as JSON.
  payload text not null,
  -- Earlier messages on the same subject that this one stands for too.
  suppressed integer not null default 0,
  state text not null,
  attempts integer not null default 0,
  -- When it was first to be sent; the throttle counts by it.
  due_at timestamptz not null,
  next_attempt_at timestamptz,
  last_attempt_at timestamptz,
  last_error text,
  created_at timestamptz not null,
  finished_at timestamptz
);
create index deliveries_by_channel on channels.deliveries (channel, id desc);
create index deliveries_by_subject on channels.deliveries (channel, topic, subject, id desc);
create index deliveries_pending on channels.deliveries (id) where state = 'pending';

-- How far events were turned into deliveries: an event that comes twice is turned into none the second time.
create table channels.progress (
  is_single boolean primary key default true check (is_single),
  position bigint not null default 0
);
insert into channels.progress default values;
