create schema problems;

-- What is wrong, or was a moment ago; the row goes when the end was told.
create table problems.problems (
  kind text not null,
  subject text not null,
  service text,
  environment text,
  summary text not null,
  since timestamptz not null,
  -- Null while it has not lasted long enough to be told.
  told_at timestamptz,
  -- Not null: it is over, but not for long enough.
  gone_since timestamptz,
  primary key (kind, subject)
);

-- Ends of instances that nobody asked for, as far back as a crash loop is looked for.
create table problems.crashes (
  event text primary key,
  service text not null,
  environment text not null,
  process text not null,
  release text not null,
  at timestamptz not null
);
create index crashes_by_time on problems.crashes (at);
