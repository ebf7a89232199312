-- What the files of a digest are: two releases may share them. `sbom` is what they are made of (CycloneDX), null
-- when they do not say; `files` the entries of the digest as gzipped JSON, null once the files were removed.
create table services.contents (
  digest text primary key,
  sbom jsonb,
  files bytea
);

-- A release whose files were removed to make room stays in the history.
alter table services.releases add column collected_at timestamptz;
create index releases_by_digest on services.releases (digest);
