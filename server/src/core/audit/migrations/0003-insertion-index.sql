-- Entries are listed by their insertion, newest first: without it every page sorts all of them.
create index entries_by_insertion on audit.entries (insertion);
