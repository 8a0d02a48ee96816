// Records: the targets of links in upper. Whatever has the prefix is understood
// or damaged; what is understood says the same when it is written again.
#include <sys/stat.h>

#include "tests/fuzz/harness.h"
#include "vfs/core/record.h"

using namespace vfs;
using namespace vfs::fuzz;

namespace {

// Lives no longer than `target`.
Record parse(const PathBuffer& target) {
  Record record;
  parse_record(target.text, target.length, record);
  return record;
}

void check_object(const ObjectRecord& object) {
  require(S_ISREG(object.mode), "an object record is a regular file's");
  PathBuffer text;
  require(format_object_record(object, text), "an object record can be written again");
  const Record again = parse(text);
  require(again.kind == RecordKind::object && !again.damaged, "a written record is understood");
  require(memcmp(again.object.digest.bytes, object.digest.bytes, Digest::kSize) == 0 &&
              again.object.size == object.size && again.object.inode == object.inode &&
              again.object.mode == object.mode && again.object.uid == object.uid &&
              again.object.gid == object.gid && again.object.atime.tv_sec == object.atime.tv_sec &&
              again.object.atime.tv_nsec == object.atime.tv_nsec &&
              again.object.mtime.tv_sec == object.mtime.tv_sec &&
              again.object.mtime.tv_nsec == object.mtime.tv_nsec,
          "an object record says the same when it is written again");
}

// A program's own link comes back as it was, whatever its target looks like.
void check_link(const std::string& target) {
  PathBuffer stored;
  if (!format_link_target(target.c_str(), stored)) return;
  const Record record = parse(stored);
  const char* shown = record.kind == RecordKind::none ? stored.text : record.payload;
  require(record.kind == RecordKind::none || record.kind == RecordKind::link,
          "a program's link is a link");
  require(target == shown, "a program's link keeps its target");
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  PathBuffer text;
  std::vector<std::string> seeds = {"target", std::string(kRecordPrefix)};
  ObjectRecord object = {};
  object.mode = S_IFREG | 0644;
  object.size = 12;
  format_object_record(object, text);
  seeds.emplace_back(text.text);
  format_whiteout_record(text);
  seeds.emplace_back(text.text);
  format_opaque_record(3, text);
  seeds.emplace_back(text.text);
  format_redirect_record(3, "a/b", text);
  seeds.emplace_back(text.text);
  format_link_target(seeds.back().c_str(), text);
  seeds.emplace_back(text.text);
  format_kept_link_target("there", 5, 6, text);
  seeds.emplace_back(text.text);
  write_seeds(seeds);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // In memory of its own size, so that a step beyond the NUL is seen.
  const std::string target = as_text(Input(data, size).rest());
  const std::vector<char> exact(target.c_str(), target.c_str() + target.size() + 1);
  Record record;
  parse_record(exact.data(), static_cast<uint32_t>(target.size()), record);
  const bool prefixed = target.size() > kRecordPrefixLength && target.starts_with(kRecordPrefix);
  require(prefixed == (record.kind != RecordKind::none), "what has the prefix is a record");
  if (record.payload != nullptr) {
    require(record.payload > exact.data() && record.payload < exact.data() + exact.size(),
            "a payload lies in the target");
  }
  if (record.kind == RecordKind::object) check_object(record.object);
  check_link(target);
  return 0;
}
