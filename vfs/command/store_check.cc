#include "vfs/command/store_check.h"

#include <stdio.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "cas/error.h"
#include "cas/file_io.h"
#include "cas/object_store.h"
#include "manifest/index_writer.h"
#include "vfs/command/state.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKnown[] = {
    "format",      "objects", "manifest.db", "manifest.db-wal", "manifest.db-shm", "manifest.db-journal",
    "indexes",     "tmp",     "lock",        "workspaces",      "quarantine"};

// An index is made of what the manifest says: so it can be made again, and in
// full, which needs no other. What is derived from one that could not be made
// again finds it missing: so the full ones come first.
class IndexCheck {
 public:
  IndexCheck(const Store& store, Manifest& manifest, Findings& findings)
      : store_(store), manifest_(manifest), findings_(findings) {
    for (const Snapshot& snapshot : manifest.all_snapshots()) {
      snapshots_.emplace(index_path(store, snapshot.id), snapshot);
    }
    for (const SnapshotId& id : all_bases(store)) bases_.insert(index_path(store, id));
  }

  void run() {
    const std::set<fs::path> needed = needed_indexes(store_, manifest_);
    std::set<fs::path> derived;
    for (const fs::path& path : needed) {
      if (main_of_index(path)) derived.insert(path);
    }
    for (const bool second : {false, true}) {
      for (const fs::path& path : needed) {
        if (derived.contains(path) == second) check(path);
      }
    }
  }

 private:
  void check(const fs::path& path) {
    const bool there = fs::exists(path);
    if (!there && !bases_.contains(path)) return;  // made when it is first wanted
    Finding finding;
    finding.what = "index";
    finding.where = path.string();
    finding.why = there ? check_index(path) : "missing";
    if (finding.why.empty()) return;
    const auto snapshot = snapshots_.find(path);
    if (snapshot != snapshots_.end()) {
      finding.repair = "it is written again";
      return findings_.add(std::move(finding), [&] {
        fs::remove(path);
        write_index(store_, manifest_, snapshot->second);
      });
    }
    if (bases_.contains(path)) {
      finding.repair = "its snapshot is not in the manifest, and a workspace stands on it: put manifest.db "
                       "back from a copy of the store";
      return findings_.add(std::move(finding));
    }
    finding.repair = "it is removed, as its snapshot is gone";
    findings_.add(std::move(finding), [&] { fs::remove(path); });
  }

  const Store& store_;
  Manifest& manifest_;
  Findings& findings_;
  std::map<fs::path, Snapshot> snapshots_;
  std::set<fs::path> bases_;
};

}  // namespace

std::set<fs::path> needed_indexes(const Store& store, Manifest& manifest) {
  std::set<fs::path> wanted;
  for (const Snapshot& snapshot : manifest.all_snapshots()) wanted.insert(index_path(store, snapshot.id));
  for (const SnapshotId& id : all_bases(store)) wanted.insert(index_path(store, id));
  std::set<fs::path> needed = wanted;
  for (const fs::path& path : wanted) {
    if (const auto main = main_of_index(path)) needed.insert(index_path(store, *main));
  }
  return needed;
}

void check_manifest(Manifest& manifest, Findings& findings) {
  for (const LostLink& lost : manifest.lost_links()) {
    Finding finding;
    finding.what = lost.child ? "snapshot" : "ref";
    finding.where = lost.child ? digest_text(*lost.child) : lost.ref;
    finding.why = fmt::format("{} {} is not in the manifest", lost.child ? "its parent" : "its snapshot",
                              digest_text(lost.to));
    finding.repair = lost.child ? "its history ends with it" : "the ref is removed";
    findings.add(std::move(finding), [&] { manifest.drop_link(lost); });
  }
  for (const std::string& problem : manifest.check()) findings.add(damaged_manifest(problem));
}

void check_indexes(const Store& store, Manifest& manifest, Findings& findings) {
  IndexCheck(store, manifest, findings).run();
}

void report_stray(const Store& store, const fs::path& path, Findings& findings) {
  Finding finding;
  finding.what = "name";
  finding.where = path.string();
  finding.why = "nothing of this name belongs here";
  finding.repair = "it goes to the store's quarantine";
  findings.add(std::move(finding), [&] {
    if (!make_private_directory(store.quarantine())) throw system_error(store.quarantine().string(), errno);
    // Its place and a number: two of one name must not meet there.
    const std::string name = path.lexically_relative(store.path()).string();
    std::string flat = name;
    std::replace(flat.begin(), flat.end(), '/', '_');
    fs::path place = store.quarantine() / flat;
    struct stat status;
    for (unsigned i = 1; ::lstat(place.c_str(), &status) == 0; ++i) {
      place = store.quarantine() / fmt::format("{}.{}", flat, i);
    }
    if (::rename(path.c_str(), place.c_str()) != 0) throw system_error(path.string(), errno);
  });
}

void check_private(const fs::path& path, Findings& findings) {
  struct stat status;
  if (store_is_shared() || ::lstat(path.c_str(), &status) != 0 || S_ISLNK(status.st_mode) ||
      (status.st_mode & 077) == 0) {
    return;
  }
  Finding finding;
  finding.what = "permissions";
  finding.where = path.string();
  finding.why = fmt::format("others than its owner can come to it (mode {:04o})", status.st_mode & 07777);
  finding.repair = "it is made private";
  findings.add(std::move(finding), [&] {
    if (::chmod(path.c_str(), status.st_mode & 0700) != 0) throw system_error(path.string(), errno);
  });
}

void check_names(const Store& store, Manifest& manifest, Findings& findings) {
  check_private(store.path(), findings);
  for (const auto& entry : fs::directory_iterator(store.path())) {
    const std::string name = entry.path().filename().string();
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown)) {
      report_stray(store, entry.path(), findings);
    } else {
      check_private(entry.path(), findings);
    }
  }
  std::vector<fs::path> strays;
  ObjectStore(store).for_each_stray([&](const fs::path& path) { strays.push_back(path); });
  for (const auto& entry : fs::directory_iterator(store.workspaces())) {
    if (!fs::is_directory(entry.symlink_status())) strays.push_back(entry.path());
  }
  const std::set<fs::path> needed = needed_indexes(store, manifest);
  std::vector<fs::path> unneeded;
  for (const auto& entry : fs::directory_iterator(store.indexes())) {
    if (entry.path().extension() != ".index" || fs::is_directory(entry.symlink_status())) {
      strays.push_back(entry.path());
    } else if (!needed.contains(entry.path())) {
      unneeded.push_back(entry.path());
    }
  }
  for (const fs::path& path : strays) report_stray(store, path, findings);
  for (const fs::path& path : unneeded) report_leftover({path.string(), 0, true}, findings);
}

void report_leftover(const Leftover& leftover, Findings& findings) {
  Finding finding;
  finding.what = "file";
  finding.where = leftover.path;
  finding.kind = Finding::Kind::leftover;
  if (!leftover.is_over) {
    finding.why = "nothing refers to it, but somebody may be at work on it: it stays for now";
    return findings.add(std::move(finding));
  }
  finding.why = "nothing refers to it";
  finding.repair = "it is removed";
  findings.add(std::move(finding), [&] { remove_leftover(leftover.path); });
}

void check_leftovers(const Store& store, const Grace& grace, Findings& findings) {
  for (const Leftover& leftover : leftovers_in_store(store, grace)) report_leftover(leftover, findings);
}

}  // namespace vfs
