-- The text of a .minisig file over the digest; null: nobody signed it.
alter table services.releases add column signature text;
