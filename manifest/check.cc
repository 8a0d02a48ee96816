// What is wrong with a manifest.
#include <map>

#include "cas/error.h"
#include "manifest/manifest.h"
#include "manifest/nesting.h"
#include "manifest/schema.h"

namespace vfs {
namespace {

using Problems = std::vector<std::string>;

constexpr size_t kMostProblems = 100;  // of one kind; as many as SQLite tells of

// Type and name of all that a database has, and the statements that made them.
std::map<std::string, std::string> schema_of(Database& database) {
  std::map<std::string, std::string> result;
  Statement row = database.prepare("SELECT type || ' ' || name, sql FROM sqlite_schema");
  while (row.step()) result.emplace(row.bytes(0), row.bytes(1));
  return result;
}

// Constraints and indexes hold what they promise only if they are ours. What
// somebody has added for himself is in nobody's way, but for triggers.
void check_schema(Database& database, Problems& problems) {
  Database sound(":memory:");
  prepare_schema(sound);
  const auto ours = schema_of(sound);
  const auto found = schema_of(database);
  for (const auto& [name, sql] : ours) {
    const auto at = found.find(name);
    if (at == found.end()) problems.push_back(fmt::format("the {} is missing", name));
    if (at != found.end() && at->second != sql) problems.push_back(fmt::format("the {} is not as it was made", name));
  }
  for (const auto& [name, sql] : found) {
    if (name.starts_with("trigger ")) problems.push_back(fmt::format("there is a {}, which does not belong here", name));
  }
}

// Reads every directory as those do that use it.
void check_entries(Manifest& manifest, Problems& problems) {
  std::vector<TreeId> trees;
  Statement row = manifest.database().prepare("SELECT id FROM tree");
  while (row.step()) trees.push_back(row.integer(0));
  size_t found = 0;
  for (const TreeId tree : trees) {
    try {
      manifest.list(tree);
    } catch (const Error& error) {
      problems.push_back(error.why);
      if (++found == kMostProblems) return;
    }
  }
}

void check_extents(Manifest& manifest, Problems& problems) {
  constexpr double kMostPaths = 0xffffffffu;
  Extents extents(manifest);
  try {
    for (const Snapshot& snapshot : manifest.all_snapshots()) {
      if (extents.of(snapshot.tree).paths <= kMostPaths) continue;
      problems.push_back(fmt::format("snapshot {} has {:.3g} paths, more than any can have",
                                     digest_text(snapshot.id), extents.of(snapshot.tree).paths));
    }
  } catch (const Error& error) {
    problems.push_back(error.what_failed == "manifest" ? error.why : error.what());
  }
}

// A snapshot's id counts its parent's, so none that was made here leads back.
void check_histories(Database& database, Problems& problems) {
  Statement row = database.prepare(
      "WITH RECURSIVE sound (id) AS ("
      "  SELECT id FROM snapshot WHERE parent IS NULL OR parent NOT IN (SELECT id FROM snapshot)"
      "  UNION SELECT s.id FROM snapshot s JOIN sound ON s.parent = sound.id) "
      "SELECT id FROM snapshot WHERE id NOT IN (SELECT id FROM sound) LIMIT ?");
  row.bind(1, static_cast<int64_t>(kMostProblems));
  while (row.step()) {
    problems.push_back(fmt::format("the history of snapshot {} has no beginning", digest_text(row.digest(0))));
  }
}

}  // namespace

std::vector<std::string> Manifest::check() {
  Problems problems;
  check_schema(*database_, problems);
  Statement integrity = database_->prepare("PRAGMA integrity_check");
  while (integrity.step()) {
    if (integrity.bytes(0) != "ok") problems.emplace_back(integrity.bytes(0));
  }
  check_entries(*this, problems);
  check_extents(*this, problems);
  check_histories(*database_, problems);
  Statement references = database_->prepare("PRAGMA foreign_key_check");
  while (references.step()) {
    if (references.bytes(2) == "snapshot") continue;  // lost_links() names them
    problems.push_back(fmt::format("a row of table {} refers to a row of table {} that is missing",
                                   references.bytes(0), references.bytes(2)));
  }
  return problems;
}

std::vector<LostLink> Manifest::lost_links() {
  std::vector<LostLink> result;
  Statement row = database_->prepare(
      "SELECT name, NULL, snapshot FROM ref WHERE snapshot NOT IN (SELECT id FROM snapshot) "
      "UNION ALL SELECT NULL, id, parent FROM snapshot "
      "WHERE parent IS NOT NULL AND parent NOT IN (SELECT id FROM snapshot)");
  while (row.step()) {
    LostLink& lost = result.emplace_back();
    if (!row.is_null(0)) lost.ref = row.bytes(0);
    if (!row.is_null(1)) lost.child = row.digest(1);
    lost.to = row.digest(2);
  }
  return result;
}

void Manifest::drop_link(const LostLink& lost) {
  if (!lost.child) {
    remove_ref(lost.ref);
    return;
  }
  Transaction transaction(*database_, Transaction::durable);
  database_->prepare("UPDATE snapshot SET parent = NULL WHERE id = ?").bind(1, *lost.child).run();
  transaction.commit();
}

}  // namespace vfs
