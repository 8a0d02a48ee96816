#include "vfs/command/drafts.h"

#include <fcntl.h>
#include <time.h>

#include <algorithm>
#include <map>

#include "manifest/ingest.h"
#include "vfs/command/lease.h"
#include "vfs/io/for_each.h"
#include "vfs/io/interrupt.h"

namespace vfs {
namespace {

// A file that changed less than this before it is read may change once more
// without getting another time stamp.
constexpr int64_t kSettled = 2'000'000'000;  // nanoseconds

int64_t now_ns() {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return nanoseconds(now);
}

io::Task<> store_draft(OpenWorkspace& workspace, Draft& draft, int64_t started) {
  bool forced;
  const Descriptor fd =
      draft.upper ? open_draft(draft.real, forced)
                  : Descriptor(::open(draft.real.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  draft.gone = !fd && says_gone(errno);
  if (draft.gone) co_return;
  if (!fd) throw system_error(draft.path, errno, "make it readable");
  // Asked before the bytes are read: a writer that comes later changes mtime.
  const bool written = draft.upper && has_writer(fd.get());
  const std::optional<StoredObject> found = co_await workspace.objects().take(fd.get(), draft.path);
  if (!found) throw Error(draft.path, "not a regular file");
  const StoredObject& stored = *found;
  draft.status = stored.source;
  draft.digest = stored.digest;
  const FileStamp stamp = stored.source;
  draft.settled = !written && std::max(stamp.mtime_ns, stamp.ctime_ns) <= started - kSettled;
  Entry& entry = draft.node->entry;
  entry.digest = stored.digest;
  entry.size = stored.size;
  entry.metadata = metadata_of(stored.source);
}

// Those whose bytes have to be read. Of the others the manifest knows the digest.
std::vector<Draft*> unknown_drafts(OpenWorkspace& workspace, const std::vector<std::unique_ptr<Draft>>& drafts) {
  const Transaction one_state(workspace.manifest().database(), Transaction::read);
  std::vector<Draft*> unknown;
  for (const auto& draft : drafts) {
    const bool there = ::lstat(draft->real.c_str(), &draft->status) == 0;
    if (!there && !says_gone(errno)) throw system_error(draft->path, errno);
    draft->gone = !there || !S_ISREG(draft->status.st_mode);
    if (draft->gone) continue;
    const FileStamp stamp = draft->status;
    const std::optional<Digest> digest = workspace.manifest().seen_file(stamp);
    if (digest && workspace.objects().contains(*digest, stamp.size)) {
      draft->digest = *digest;
      draft->settled = true;
      draft->node->entry.digest = *digest;
      draft->node->entry.size = stamp.size;
      draft->node->entry.metadata = metadata_of(draft->status);
    } else {
      unknown.push_back(draft.get());
    }
  }
  return unknown;
}

// Other names of an inode are not read by themselves: that would take time, and
// a file that its owner may not read shows another mode while it is read.
void store_unknown(OpenWorkspace& workspace, const std::vector<Draft*>& unknown, int64_t started) {
  std::map<std::pair<dev_t, ino_t>, Draft*> first;
  std::vector<Draft*> alone;
  std::vector<std::pair<Draft*, const Draft*>> others;  // with the one that is read
  for (Draft* draft : unknown) {
    const std::pair<dev_t, ino_t> inode = {draft->status.st_dev, draft->status.st_ino};
    const auto [place, fresh] = first.try_emplace(inode, draft);
    if (fresh) {
      alone.push_back(draft);
    } else {
      others.emplace_back(draft, place->second);
    }
  }
  const io::Interruptible interruptible;
  io::for_each(alone.size(), io::usual_depth(), [&](size_t i) { return store_draft(workspace, *alone[i], started); });
  for (const auto& [draft, same] : others) {
    if (same->gone) {  // but for this name
      io::run(store_draft(workspace, *draft, started));
      continue;
    }
    draft->status = same->status;
    draft->digest = same->digest;
    draft->settled = same->settled;
    draft->node->entry.digest = same->digest;
    draft->node->entry.size = same->node->entry.size;
    draft->node->entry.metadata = same->node->entry.metadata;
  }
}

}  // namespace

void store_drafts(OpenWorkspace& workspace, std::vector<std::unique_ptr<Draft>>& drafts) {
  const int64_t started = now_ns();
  const std::vector<Draft*> unknown = unknown_drafts(workspace, drafts);
  store_unknown(workspace, unknown, started);
  Transaction transaction(workspace.manifest().database());
  for (const Draft* draft : unknown) {
    if (draft->gone || (draft->upper && !draft->settled)) continue;
    workspace.manifest().remember_file(draft->status, draft->digest, started);
  }
  transaction.commit();
}

}  // namespace vfs
