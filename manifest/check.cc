// What is wrong with a manifest, and what a damaged object means for it.
#include "cas/error.h"
#include "manifest/manifest.h"

namespace vfs {

std::vector<std::string> Manifest::check() {
  std::vector<std::string> problems;
  Statement integrity = database_->prepare("PRAGMA integrity_check");
  while (integrity.step()) {
    if (integrity.bytes(0) != "ok") problems.emplace_back(integrity.bytes(0));
  }
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

void Manifest::for_each_path(const std::unordered_set<Digest, DigestHash>& digests,
                             const std::function<void(const Digest&, const ServedPath&)>& visit) {
  // Bottom up there is no index to go by, and this is not asked every day.
  Statement row = database_->prepare(
      "SELECT p.digest, s.id, s.message, s.parent, p.path FROM paths p "
      "JOIN snapshot s ON s.number = p.snapshot WHERE p.digest <> ''");
  while (row.step()) {
    Digest digest;
    const std::string_view hex = row.bytes(0);
    if (hex.size() != Digest::kHexLength || !digest_from_hex(hex.data(), digest) ||
        !digests.contains(digest)) {
      continue;
    }
    ServedPath served;
    served.snapshot = row.digest(1);
    served.path = row.bytes(4);
    if (row.is_null(3)) served.origin = row.bytes(2);
    visit(digest, served);
  }
}

}  // namespace vfs
