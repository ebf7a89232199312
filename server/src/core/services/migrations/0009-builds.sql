-- Files that a build has left: the build, and the digest of the files it was given.
alter table services.releases
  add column build text,
  add column source_digest text;
