#include "manifest/schema.h"

#include "cas/error.h"

namespace vfs {
namespace {

// Each step leads from version i to i + 1; a step that was released is never
// changed.
//
// A directory is a tree: a list of chunks of entries sorted by name. Trees and
// chunks are named by the digest of what is in them, so directories that are
// equal share all rows, and large ones that differ in a few names share most.
constexpr const char* kMigrations[] = {R"sql(
CREATE TABLE tree (
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 16),
  files INTEGER NOT NULL CHECK (files >= 0),
  bytes INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT;

CREATE TABLE chunk (
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 16)
) STRICT;

CREATE TABLE tree_chunk (
  tree INTEGER NOT NULL REFERENCES tree (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  chunk INTEGER NOT NULL REFERENCES chunk (id),
  PRIMARY KEY (tree, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX tree_chunk_by_chunk ON tree_chunk (chunk);

CREATE TABLE entry (
  chunk INTEGER NOT NULL REFERENCES chunk (id) ON DELETE CASCADE,
  name BLOB NOT NULL CHECK (length(name) BETWEEN 1 AND 255 AND instr(name, x'2f') = 0
    AND instr(name, x'00') = 0 AND name NOT IN (x'2e', x'2e2e')),
  type TEXT NOT NULL CHECK (type IN
    ('file', 'directory', 'link', 'fifo', 'socket', 'character', 'block')),
  mode INTEGER NOT NULL CHECK (mode BETWEEN 0 AND 4095),
  uid INTEGER NOT NULL,
  gid INTEGER NOT NULL,
  mtime INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL CHECK (mtime_ns BETWEEN 0 AND 999999999),
  size INTEGER NOT NULL CHECK (size >= 0),
  digest BLOB CHECK ((type = 'file') = (digest IS NOT NULL) AND length(digest) = 16),
  target BLOB CHECK ((type = 'link') = (target IS NOT NULL)),
  tree INTEGER REFERENCES tree (id) CHECK ((type = 'directory') = (tree IS NOT NULL)),
  device INTEGER NOT NULL DEFAULT 0,
  link_group INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (chunk, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_by_tree ON entry (tree) WHERE tree IS NOT NULL;

CREATE TABLE snapshot (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  parent BLOB REFERENCES snapshot (id),
  time_ns INTEGER NOT NULL,
  message TEXT NOT NULL,
  tree INTEGER NOT NULL REFERENCES tree (id),
  mode INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  gid INTEGER NOT NULL,
  mtime INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL
) STRICT;
CREATE INDEX snapshot_by_parent ON snapshot (parent);

CREATE TABLE ref (
  name TEXT PRIMARY KEY CHECK (length(name) > 0),
  snapshot BLOB NOT NULL REFERENCES snapshot (id)
) STRICT;

CREATE TABLE seen_file (
  device INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  ctime_ns INTEGER NOT NULL,
  digest BLOB NOT NULL CHECK (length(digest) = 16),
  PRIMARY KEY (device, inode)
) STRICT, WITHOUT ROWID;

-- For the sqlite3 shell.
CREATE VIEW snapshots AS
  SELECT number, lower(hex(snapshot.id)) AS id, lower(hex(parent)) AS parent,
         datetime(time_ns / 1000000000, 'unixepoch') AS time, message,
         tree.files, tree.bytes
  FROM snapshot JOIN tree ON tree.id = snapshot.tree;

CREATE VIEW paths AS
  WITH RECURSIVE walk (snapshot, path, type, mode, uid, gid, mtime, mtime_ns, size, digest,
                       target, tree, link_group) AS (
    SELECT s.number, CAST(e.name AS TEXT), e.type, e.mode, e.uid, e.gid, e.mtime, e.mtime_ns,
           e.size, e.digest, e.target, e.tree, e.link_group
    FROM snapshot s JOIN tree_chunk c ON c.tree = s.tree JOIN entry e ON e.chunk = c.chunk
    UNION ALL
    SELECT w.snapshot, w.path || '/' || CAST(e.name AS TEXT), e.type, e.mode, e.uid, e.gid,
           e.mtime, e.mtime_ns, e.size, e.digest, e.target, e.tree, e.link_group
    FROM walk w JOIN tree_chunk c ON c.tree = w.tree JOIN entry e ON e.chunk = c.chunk)
  SELECT snapshot, path, type, printf('%04o', mode) AS mode, uid, gid, mtime, mtime_ns, size,
         lower(hex(digest)) AS digest, CAST(target AS TEXT) AS target, link_group
  FROM walk;
)sql"};

constexpr int kVersion = sizeof(kMigrations) / sizeof(kMigrations[0]);

int version_of(Database& database) {
  Statement statement = database.prepare("PRAGMA user_version");
  statement.step();
  return static_cast<int>(statement.integer(0));
}

}  // namespace

void prepare_schema(Database& database) {
  int version = version_of(database);
  if (version == kVersion) return;
  if (version > kVersion) {
    throw Error("manifest", fmt::format("the database has schema {}, this program knows up to {}",
                                        version, kVersion),
                "use a newer libvfs, or another store with VFS_STORE");
  }
  Transaction transaction(database);
  // Another process may have done it while we waited.
  for (version = version_of(database); version < kVersion; ++version) {
    database.execute(kMigrations[version]);
  }
  database.execute(fmt::format("PRAGMA user_version = {}", kVersion).c_str());
  transaction.commit();
}

}  // namespace vfs
