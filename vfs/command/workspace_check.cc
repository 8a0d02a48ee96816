#include "vfs/command/workspace_check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "cas/error.h"
#include "manifest/index_writer.h"
#include "vfs/command/control_check.h"
#include "vfs/command/journal.h"
#include "vfs/command/links.h"
#include "vfs/command/store_check.h"
#include "vfs/command/text.h"
#include "vfs/command/upper_check.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKnown[] = {"control", "root",   "base",    "head",       "upper",    "work",
                                       "run",     "run-libraries",     "moved",      "hidden",   "removed",
                                       "identities", "whiteout",       "lock",       "commit-lock", "journal"};

// Since it was made, and since the last change in it.
bool is_in_use(const std::string& state, const Grace& grace) {
  for (const char* part : {"root", "control", "upper", "work"}) {
    struct stat status;
    if (::lstat((state + "/" + part).c_str(), &status) == 0 && !grace.is_over(status)) return true;
  }
  return false;
}

class WorkspaceCheck {
 public:
  WorkspaceCheck(const Store& store, Manifest& manifest, const WorkspaceState& state, Findings& findings)
      : store_(store), manifest_(manifest), state_(state), findings_(findings) {}

  void run(const WorkspaceRules& rules);

 private:
  std::string shown() const { return state_.root.empty() ? state_.path : state_.root; }

  Finding finding(std::string why, std::string repair) const {
    Finding finding;
    finding.what = "workspace";
    finding.where = shown();
    finding.why = std::move(why);
    finding.repair = std::move(repair);
    return finding;
  }

  bool is_known(const std::optional<SnapshotId>& id) {
    if (!id) return false;
    try {
      manifest_.snapshot(*id);
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  void put_link(const std::string& target, const char* name) {
    replace_link(store_, target, state_.path + "/" + name);
  }

  void report_orphan(const std::string& why, const WorkspaceRules& rules);
  // Whether everything else can be judged.
  bool check_journal();
  void check_names();
  // Whether there is a base to be opened.
  bool check_snapshot_links();
  void check_live_head();

  const Store& store_;
  Manifest& manifest_;
  const WorkspaceState& state_;
  Findings& findings_;
};

void WorkspaceCheck::report_orphan(const std::string& why, const WorkspaceRules& rules) {
  Finding orphan = finding(fmt::format("{}: the state {} belongs to no workspace", why, state_.path), "");
  const std::string stays = why_orphan_stays(state_, rules);
  // It may be in the making: nothing is wrong then.
  if (is_in_use(state_.path, rules.grace)) orphan.kind = Finding::Kind::leftover;
  if (!stays.empty()) {
    orphan.repair = stays;
    return findings_.add(std::move(orphan));
  }
  orphan.repair = "the state is removed";
  findings_.add(std::move(orphan), [&] { remove_state(store_, state_.path); });
}

bool WorkspaceCheck::check_journal() {
  const std::string path = state_.path + "/journal";
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0) return true;
  if (!S_ISLNK(status.st_mode)) {
    report_stray(store_, path, findings_);
    return true;
  }
  const Journal journal = read_journal(state_.path);
  const bool lost = journal.step == Step::move && !is_known(journal.snapshot);
  if (journal.step != Step::none && !lost) {
    // What is half done is no violation, and nobody but recovery can judge it.
    Finding half = finding("a command was killed in it; the next command there finishes or undoes what it did", "");
    half.kind = Finding::Kind::leftover;
    findings_.add(std::move(half));
    return false;
  }
  const std::string said = terminal_text(link_target(path));
  const std::string why = lost ? fmt::format("its journal, '{}', names a snapshot that is not in the manifest", said)
                               : fmt::format("its journal, '{}', cannot be read", said);
  if (::lstat((state_.path + "/work/undo").c_str(), &status) == 0) {
    findings_.add(finding(why, "the next command there puts back what was laid aside"),
                  [&] { write_journal(store_, state_.path, {.step = Step::undo}); });
    return false;
  }
  findings_.add(finding(why, "it is removed"), [&] { close_journal(state_.path); });
  return true;
}

void WorkspaceCheck::check_names() {
  for (const char* part : {"upper", "work", "run"}) {
    const std::string path = state_.path + "/" + part;
    struct stat status;
    const bool there = ::lstat(path.c_str(), &status) == 0;
    if (there && S_ISDIR(status.st_mode)) continue;
    if (there) report_stray(store_, path, findings_);
    findings_.add(finding(fmt::format("its directory {} is missing", path), "an empty one is made"), [&] {
      if (::mkdir(path.c_str(), 0700) != 0) throw system_error(path, errno);
    });
  }
  check_private(state_.path, findings_);
  std::vector<fs::path> strays;
  for (const auto& entry : fs::directory_iterator(state_.path)) {
    const std::string name = entry.path().filename().string();
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown)) strays.push_back(entry.path());
  }
  for (const fs::path& path : strays) report_stray(store_, path, findings_);
}

// Base first, then head: a command that was killed between the two had made the
// base what it wanted.
bool WorkspaceCheck::check_snapshot_links() {
  const std::optional<SnapshotId> base = snapshot_of_link(state_.path, "base");
  const std::optional<SnapshotId> head = snapshot_of_link(state_.path, "head");
  if (is_known(base)) {
    if (head == base) return true;
    const std::string why = head ? fmt::format("its head is {}, and its base {}", digest_text(*head), digest_text(*base))
                                 : "it has no head";
    findings_.add(finding(why, "the base becomes the head"), [&] {
      put_link(digest_text(*base), "head");
      raise_generation(state_.path);
    });
    return true;
  }
  const std::string why = base ? fmt::format("its base {} is not in the manifest", digest_text(*base))
                               : "it has no base";
  if (!is_known(head)) {
    findings_.add(finding(why + ", nor has it a head that is", "put manifest.db back from a copy of the store"));
  } else if (base) {
    findings_.add(finding(why, fmt::format("put manifest.db back from a copy of the store; or `vfs switch "
                                           "--force {}` inside, which drops changes", digest_text(*head))));
  } else {
    findings_.add(finding(why, "the head becomes the base"), [&] {
      write_index(store_, manifest_, manifest_.snapshot(*head));
      put_link(index_link(*head), "base");
      raise_generation(state_.path);
    });
    return findings_.repairs();
  }
  return base.has_value();
}

// What `vfs status` counts against; without one, the directory itself.
void WorkspaceCheck::check_live_head() {
  struct stat status;
  const std::string path = state_.path + "/head";
  if (::lstat(path.c_str(), &status) != 0) return;
  const std::optional<SnapshotId> head = snapshot_of_link(state_.path, "head");
  if (is_known(head)) return;
  const std::string id = head ? digest_text(*head) : "no snapshot";
  findings_.add(finding(fmt::format("its head, {}, is not in the manifest", id),
                        "changes are counted from the directory again"),
                [&] { fs::remove(path); });
}

void WorkspaceCheck::run(const WorkspaceRules& rules) {
  std::string why;
  const Marker marker = look_at_marker(state_, why);
  const StateLock lock(state_.path, findings_.repairs() ? StateLock::make : StateLock::leave);
  if (!lock.held()) {
    Finding busy = finding("a command is at work in it", "");
    busy.kind = Finding::Kind::skipped;
    return findings_.add(std::move(busy));
  }
  if (marker == Marker::lost) {
    const std::string moved = find_moved_root(state_);
    if (moved.empty()) return report_orphan(why, rules);
    // Everything else is judged by the next check, by its new name.
    return findings_.add(finding("its root was moved to " + moved, "its link `root` leads there"),
                         [&] { put_link(moved, "root"); });
  }
  if (marker == Marker::unknown) {
    findings_.add(finding(why, fmt::format("let the file {}/.vfs have the two lines `vfs workspace 1` and `state {}`",
                                           shown(), state_.path)));
  }
  if (!check_journal()) return;
  check_names();
  const std::optional<BaseKind> kind = check_control(state_.path, shown(), findings_);
  const bool has_base = kind == BaseKind::live || (kind == BaseKind::snapshot && check_snapshot_links());
  if (kind == BaseKind::live) check_live_head();
  check_upper(store_, state_, marker == Marker::ours && has_base, findings_);
  for (const Leftover& leftover : leftovers_in_state(state_.path, rules.grace)) {
    report_leftover(leftover, findings_);
  }
}

}  // namespace

std::string why_orphan_stays(const WorkspaceState& state, const WorkspaceRules& rules) {
  if (is_in_use(state.path, rules.grace)) return "it was in use a short while ago: it stays for now";
  if (const auto user = who_runs_in(state.path)) return *user + " has it open: it stays";
  if (rules.remove_orphans) return {};
  for (const char* part : {"journal", "work/undo"}) {
    struct stat status;
    if (::lstat((state.path + "/" + part).c_str(), &status) != 0) continue;
    return "a command was killed in it, and had laid changes aside: `vfs fsck --repair --remove-orphans` removes them";
  }
  if (!holds_changes(state.path)) return {};
  return fmt::format("it holds changes, below {}/upper: copy what you need, then `vfs fsck --repair --remove-orphans`",
                     state.path);
}

void check_workspace(const Store& store, Manifest& manifest, const WorkspaceState& state,
                     const WorkspaceRules& rules, Findings& findings) {
  try {
    WorkspaceCheck(store, manifest, state, findings).run(rules);
  } catch (const Error& error) {
    Finding failed;
    failed.what = "workspace";
    failed.where = state.root.empty() ? state.path : state.root;
    failed.why = fmt::format("it cannot be checked: {}: {}", error.what_failed, error.why);
    failed.repair = "see to that, and check again";
    findings.add(std::move(failed));
  }
}

}  // namespace vfs
