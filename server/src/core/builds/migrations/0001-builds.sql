create schema builds;

-- Commands that make releases. What is asked for is kept until it has ended: where the files are and what the
-- release is to be registered with.
create table builds.builds (
  id text primary key,
  service text not null,
  environment text not null,
  -- The digest of the files it is made from, and the service file among them: together they say everything.
  source_digest text not null,
  file text not null,
  step jsonb not null,
  wish jsonb not null,
  state text not null,
  exit_code integer,
  reason text,
  output text not null default '',
  -- The digest of what it left, and the release that was made of that.
  digest text,
  release text,
  reuses text references builds.builds (id),
  requested_by jsonb not null,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz
);
create index builds_unfinished on builds.builds (id) where finished_at is null;
create index builds_by_source on builds.builds (source_digest, file, id desc) where state = 'succeeded';
