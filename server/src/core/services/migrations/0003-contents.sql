-- What a release is made of (CycloneDX), by the digest of its files: two releases may share them.
create table services.contents (
  digest text primary key,
  sbom jsonb not null
);

-- A release whose files were removed to make room stays in the history.
alter table services.releases add column collected_at timestamptz;
create index releases_by_digest on services.releases (digest);
