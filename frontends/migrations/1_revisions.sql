-- Up Migration
CREATE TABLE revisions (
  revision text PRIMARY KEY,
  migrated timestamptz NOT NULL DEFAULT now()
);

-- Down Migration
DROP TABLE revisions;
