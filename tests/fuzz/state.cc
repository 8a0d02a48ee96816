// What a workspace's own directories may hold after damage: records, notes and
// identities of any text. Look-ups and listings answer something, and nothing
// that they answer lies outside.
#include <sys/xattr.h>

#include <set>

#include "tests/fuzz/bed.h"
#include "vfs/core/attributes.h"
#include "vfs/core/copy_up.h"
#include "vfs/core/hard_links.h"
#include "vfs/core/identity.h"
#include "vfs/core/listing.h"
#include "vfs/core/moved.h"
#include "vfs/core/names.h"
#include "vfs/core/path_hash.h"
#include "vfs/core/removed.h"

namespace vfs::fuzz {
namespace {

Bed* bed;

const char* const kPaths[] = {"", "dir", "dir/sub", "dir/sub/low", "dir/inner", "file", "one", "two",
                              "link", "new", "new/file", "dir_link/inner", "draft", "empty"};
// Below upper: records, and directory records.
const char* const kRecords[] = {"file", "new", "link", "one", "dir/inner", "dir/.vfs-directory",
                                "dir/sub/.vfs-directory", ".vfs-directory", "empty"};
enum Group { moved, moved_file, hidden, removed, identities, groups };
std::string file_note;  // the name of the note about a file that was moved

std::string key_text(uint64_t key) {
  char text[17];
  snprintf(text, sizeof(text), "%016lx", static_cast<unsigned long>(key));
  return text;
}

uint64_t hash_of(const char* path) { return path_hash(path, static_cast<uint32_t>(strlen(path))); }

// The links that one input made, taken away again.
class Links {
 public:
  explicit Links(const Workspace& workspace) : state_(workspace.state.text) {}
  ~Links() {
    for (const std::string& path : made_) ::unlink(path.c_str());
  }

  void make(const std::string& below, const std::string& target) {
    const std::string path = state_ + "/" + below;
    ::unlink(path.c_str());
    if (::symlink(target.c_str(), path.c_str()) == 0) made_.insert(path);
  }

 private:
  std::string state_;
  std::set<std::string> made_;
};

void place_note(Links& links, uint8_t which, const std::string& text) {
  struct stat status = {};
  ::lstat((bed->live_root / "one").c_str(), &status);
  const std::string path_key = key_text(hash_of(kPaths[which / groups % std::size(kPaths)]));
  switch (which % groups) {
    case moved: return links.make("moved/" + path_key, text);
    case moved_file: return links.make("moved/" + file_note, text);
    case hidden: return links.make("hidden/" + key_text(status.st_ino) + "/" + path_key, text);
    case removed: return links.make("removed/" + path_key, text);
    default: return links.make("identities/" + path_key, text);
  }
}

void place_all(Workspace& workspace, Links& links, Input& input) {
  const std::string draft = std::string(workspace.upper.text) + "/draft";
  for (int i = 0; i < 8 && !input.at_end(); ++i) {
    const uint8_t which = input.byte();
    const std::string text = as_text(input.bytes(input.byte()));
    if (which == 255) {
      ::setxattr(draft.c_str(), "user.vfs.identity", text.data(), text.size(), 0);
    } else if (which >= 128) {
      place_note(links, which & 127, text);
    } else {
      links.make(std::string("upper/") + kRecords[which % std::size(kRecords)], text);
    }
  }
}

void check_listing(Workspace& workspace, const Lookup& directory) {
  Listing listing;
  if (listing.read(workspace, directory) != 0) return;
  std::set<std::string> names;
  for (const struct dirent64* entry = listing.at(0); entry != nullptr;
       entry = listing.at(static_cast<uint32_t>(entry->d_off))) {
    const std::string name = entry->d_name;
    require(!name.empty() && name.find('/') == name.npos, "a listed name is a name");
    require(names.insert(name).second, "a name is listed once");
    require(entry->d_reclen > name.size(), "an entry is as long as its name");
  }
}

void look(Workspace& workspace, const char* path, Follow follow) {
  const PathBuffer top;
  Lookup found;
  if (look_up(workspace, top, *path != '\0' ? path : ".", follow, found) != 0 || !found.inside) return;
  require(is_canonical(found.path), "a look-up's path is canonical");
  if (!found.exists()) return;
  require(is_canonical(found.base_path()), "a look-up's place in the base is canonical");
  struct stat status;
  get_status(workspace, found, status);
  PathBuffer text;
  if (found.is_link()) read_link(workspace, found, text);
  if (found.is_directory()) check_listing(workspace, found);
  base_has(workspace, found);
  if (found.source == Source::snapshot) count_links(workspace, found);
  count_hidden_names(workspace, found.status);
  if (find_noted_file(workspace, found.status, text)) follow_moves(workspace, text);
  recall_removed(workspace, 1, status);
}

// Upper has to be asked about everything.
void announce_all(Workspace& workspace) {
  for (const char* path : kPaths) workspace.control->filter.announce_subtree(hash_of(path));
  for (const char* path : kRecords) workspace.control->filter.announce_subtree(hash_of(path));
}

void prepare(Workspace& workspace) {
  const fs::path state = workspace.state.text;
  fs::create_directories(state / "upper/dir/sub");
  test::write_file(state / "upper/draft", "draft");
  struct stat status = {};
  ::lstat((bed->live_root / "one").c_str(), &status);
  for (const char* group : {"moved", "removed", "identities"}) fs::create_directories(state / group);
  fs::create_directories(state / "hidden" / key_text(status.st_ino));
  announce_all(workspace);
  // The number of a file that has notes: the filter has a bit for it.
  PathBuffer path;
  path.assign("one");
  note_file(workspace, status, path);
  for (const auto& note : fs::directory_iterator(state / "moved")) file_note = note.path().filename();
}

std::string item(uint8_t which, std::string_view text) {
  return std::string(1, static_cast<char>(which)) + static_cast<char>(text.size()) + std::string(text);
}

std::vector<std::string> seeds() {
  PathBuffer text;
  std::vector<std::string> seeds = {item(128, "/dir/sub"), item(129, "/one"), item(2, "target"),
                                    item(255, std::string(16, 'x'))};
  format_whiteout_record(text);
  seeds.push_back(item(0, text.text));
  format_opaque_record(1, text);
  seeds.push_back(item(5, text.text));
  format_redirect_record(1, "dir/sub", text);
  seeds.push_back(item(5, text.text) + item(6, text.text));
  format_redirect_record(1, "../../outside", text);
  seeds.push_back(item(5, text.text));
  format_kept_link_target("file", 5, 6, text);
  seeds.push_back(item(2, text.text));
  ObjectRecord object = {};
  object.mode = S_IFREG | 0644;
  format_object_record(object, text);
  seeds.push_back(item(0, text.text) + item(3, text.text));
  return seeds;
}

}  // namespace
}  // namespace vfs::fuzz

using namespace vfs;
using namespace vfs::fuzz;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  write_seeds(seeds());
  bed = new Bed;
  prepare(*bed->live);
  prepare(*bed->snapshot);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  for (Workspace* workspace : {bed->live.get(), bed->snapshot.get()}) {
    Links links(*workspace);
    Input input(data, size);
    place_all(*workspace, links, input);
    for (const char* path : kPaths) {
      look(*workspace, path, Follow::no);
      look(*workspace, path, Follow::yes);
    }
  }
  return 0;
}
