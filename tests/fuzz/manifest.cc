// A manifest that others have written: pages of any bytes, and rows that no
// constraint ever saw. Whatever it says, there is an answer or an Error.
#include "cas/error.h"
#include "tests/fuzz/snapshots.h"

namespace vfs::fuzz {
namespace {

enum Mode { pages, rows, modes };

struct Bed : Snapshots {
  std::string sound;  // the database, without a log
  // Where nobody else has it open.
  Store hostile = Store::open(scratch / "hostile");

  Bed() {
    manifest.set_ref("name", second.id);
    manifest.database().execute("PRAGMA wal_checkpoint(TRUNCATE)");
    sound = test::read_file(store.manifest());
  }
};
Bed* bed;

const char* const kColumns[][2] = {
    {"entry", "name"},      {"entry", "type"},        {"entry", "mode"},     {"entry", "tree"},
    {"entry", "target"},    {"entry", "size"},        {"entry", "mtime_ns"}, {"entry", "digest"},
    {"entry", "chunk"},     {"entry", "link_group"},  {"entry", "device"},   {"tree", "files"},
    {"tree", "digest"},     {"tree_chunk", "chunk"},  {"tree_chunk", "position"}, {"tree_chunk", "tree"},
    {"snapshot", "tree"},   {"snapshot", "parent"},   {"snapshot", "mode"},  {"snapshot", "id"},
    {"snapshot", "message"}, {"ref", "snapshot"},     {"ref", "name"},       {"chunk", "digest"},
    {"seen_file", "digest"},
};

// [offset 3][length 1][bytes], again and again.
std::string patched(Input& input) {
  std::string bytes = bed->sound;
  while (!input.at_end()) {
    const size_t offset = input.number(3) % bytes.size();
    const std::string_view patch = input.bytes(input.byte());
    bytes.replace(offset, std::min(patch.size(), bytes.size() - offset), patch.substr(0, bytes.size() - offset));
  }
  return bytes;
}

// [column][row][kind of value][value], again and again: what SQLite lets anyone write.
void write_rows(Input& input) {
  sqlite3* database = nullptr;
  sqlite3_open(bed->hostile.manifest().c_str(), &database);
  sqlite3_exec(database, "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; BEGIN",
               nullptr, nullptr, nullptr);
  while (!input.at_end()) {
    const auto& column = kColumns[input.byte() % std::size(kColumns)];
    const bool rowless = strcmp(column[0], "entry") == 0 || strcmp(column[0], "tree_chunk") == 0 ||
                         strcmp(column[0], "seen_file") == 0;
    const std::string key = strcmp(column[0], "entry") == 0        ? "(chunk, name)"
                            : strcmp(column[0], "tree_chunk") == 0 ? "(tree, position)"
                                                                   : "(device, inode)";
    const std::string which = rowless ? key : "rowid";
    const std::string keys = rowless ? key.substr(1, key.size() - 2) : "rowid";
    const std::string sql = fmt::format(
        "UPDATE OR IGNORE {0} SET {1} = ?1 WHERE {2} = (SELECT {3} FROM {0} LIMIT 1 OFFSET {4})",
        column[0], column[1], which, keys, input.byte());
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr);
    const uint8_t kind = input.byte() % 5;
    if (kind == 0) sqlite3_bind_int64(statement, 1, static_cast<int8_t>(input.byte()));
    if (kind == 1) sqlite3_bind_int64(statement, 1, static_cast<int64_t>(uint64_t{input.number(4)} << 31));
    const std::string_view text = kind > 1 ? input.bytes(input.byte()) : "";
    if (kind == 2) sqlite3_bind_text(statement, 1, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    if (kind == 3) sqlite3_bind_blob(statement, 1, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    sqlite3_step(statement);
    sqlite3_finalize(statement);
  }
  sqlite3_exec(database, "COMMIT", nullptr, nullptr, nullptr);
  sqlite3_close(database);
}

// What must not depend on what another call said.
template <typename Call>
void attempt(Call call) {
  try {
    call();
  } catch (const Error& error) {
    require(!error.what_failed.empty() && !error.why.empty(), "an error says on what, and why");
  }
}

void check_entry(const Entry& entry) {
  require(!entry.name.empty() && entry.name != "." && entry.name != ".." && entry.name.size() <= NAME_MAX &&
              entry.name.find('/') == entry.name.npos && entry.name.find('\0') == entry.name.npos,
          "a name is one that a directory can have");
  require(S_ISDIR(entry.metadata.mode) == (entry.tree != 0), "a directory has a tree");
}

void compile(Manifest& manifest, const Snapshot& snapshot, const Snapshot* predecessor) {
  fs::remove(index_path(bed->hostile, snapshot.id));
  write_index(bed->hostile, manifest, snapshot, predecessor);
  const std::string problem = check_index(index_path(bed->hostile, snapshot.id));
  if (!problem.empty()) fmt::print(stderr, "{}\n", problem);
  require(problem.empty(), "what is compiled is a sound index");
}

void use(Manifest& manifest) {
  std::vector<Snapshot> snapshots;
  attempt([&] { snapshots = manifest.all_snapshots(); });
  // An index that was left by another manifest is no predecessor of what this one says.
  if (!snapshots.empty()) attempt([&] { compile(manifest, snapshots.back(), nullptr); });
  for (const Snapshot& snapshot : snapshots) {
    attempt([&] { for (const Entry& entry : manifest.list(snapshot.tree)) check_entry(entry); });
    attempt([&] { if (auto found = manifest.find(snapshot, "dir/sub/x")) check_entry(*found); });
    attempt([&] { compile(manifest, snapshot, nullptr); });
    attempt([&] { compile(manifest, snapshot, &snapshots.back()); });
  }
  attempt([&] { manifest.resolve("name"); });
  attempt([&] { manifest.refs(); });
  attempt([&] { manifest.find_by_message(""); });
  attempt([&] { manifest.seen_file({}); });
  attempt([&] { manifest.for_each_digest([](const Digest&, uint64_t) {}); });
  attempt([&] {
    Digest digest = {};
    digest.bytes[0] = 9;
    manifest.for_each_path({digest}, [](const Digest&, const ServedPath&) {});
  });
  attempt([&] { manifest.check(); });
  attempt([&] { manifest.lost_links(); });
  attempt([&] {
    TreeNode root = directory("", {node("again", S_IFREG | 0644, 1)});
    manifest.add_snapshot(root, {}, "");
  });
  attempt([&] {
    std::vector<SnapshotId> removed;
    manifest.collect({}, removed);
  });
}

std::string set(uint8_t column, uint8_t row, uint8_t kind, std::string_view value) {
  std::string text = {static_cast<char>(column), static_cast<char>(row), static_cast<char>(kind)};
  if (kind > 1) text += static_cast<char>(value.size());
  return text + std::string(value);
}

}  // namespace
}  // namespace vfs::fuzz

using namespace vfs;
using namespace vfs::fuzz;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const std::string rows_mode(1, rows);
  std::string patches(1, pages);
  patches += std::string("\0\0\x10\4", 4) + "\1\2\3\4";
  write_seeds({rows_mode + set(0, 0, 3, "../../escape"), rows_mode + set(3, 1, 0, "\1"),
               rows_mode + set(3, 1, 0, "\2") + set(3, 2, 0, "\1"), rows_mode + set(1, 0, 2, "directory"),
               rows_mode + set(11, 0, 1, "\x7f\xff\xff\xff"), rows_mode + set(2, 0, 1, "\0\0\1\0"), patches});
  bed = new Bed;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  const unsigned mode = input.byte() % modes;
  for (const char* log : {"-wal", "-shm"}) fs::remove(bed->hostile.manifest().string() + log);
  test::write_file(bed->hostile.manifest(), mode == pages ? patched(input) : bed->sound);
  if (mode == rows) write_rows(input);
  attempt([] {
    Manifest manifest(bed->hostile);
    use(manifest);
  });
  return 0;
}
