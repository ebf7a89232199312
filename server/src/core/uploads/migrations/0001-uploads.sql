create schema uploads;

-- An archive that is arriving, or has arrived and waits for a release. How much of it is there says its file.
create table uploads.uploads (
  id text primary key,
  size_bytes bigint not null check (size_bytes > 0),
  sha256 text not null,
  created_at timestamptz not null,
  created_by jsonb not null,
  expires_at timestamptz not null
);
create index uploads_by_content on uploads.uploads (sha256);
create index uploads_by_expiry on uploads.uploads (expires_at);
