#include "vfs/core/record.h"

#include <sys/stat.h>

namespace vfs {
namespace {

constexpr char kWhiteout = 'w';
constexpr char kObject = 'o';
constexpr char kLink = 'l';
constexpr char kKeptLink = 'k';
constexpr char kOpaque = 'q';
constexpr char kRedirect = 'r';

bool append_hex(PathBuffer& out, uint64_t value) {
  char text[17];
  unsigned start = sizeof(text);
  do {
    text[--start] = "0123456789abcdef"[value & 15];
    value >>= 4;
  } while (value != 0);
  return out.append_character(' ') && out.append(text + start, sizeof(text) - start);
}

// Reads " " and a hexadecimal number; advances `cursor`.
bool read_hex(const char*& cursor, uint64_t& value) {
  if (*cursor != ' ') return false;
  const char* start = ++cursor;
  value = 0;
  for (;; ++cursor) {
    unsigned digit;
    if (*cursor >= '0' && *cursor <= '9') {
      digit = static_cast<unsigned>(*cursor - '0');
    } else if (*cursor >= 'a' && *cursor <= 'f') {
      digit = static_cast<unsigned>(*cursor - 'a') + 10;
    } else {
      break;
    }
    if (value >> 60 != 0) return false;
    value = value << 4 | digit;
  }
  return cursor != start;
}

bool read_time(const char*& cursor, struct timespec& time) {
  uint64_t seconds;
  uint64_t nanoseconds;
  if (!read_hex(cursor, seconds) || !read_hex(cursor, nanoseconds)) return false;
  if (nanoseconds >= 1'000'000'000) return false;
  time.tv_sec = static_cast<time_t>(seconds);
  time.tv_nsec = static_cast<long>(nanoseconds);
  return true;
}

bool parse_object(const char* cursor, uint32_t length, ObjectRecord& object) {
  if (length < Digest::kHexLength || !digest_from_hex(cursor, object.digest)) return false;
  cursor += Digest::kHexLength;
  uint64_t mode;
  uint64_t uid;
  uint64_t gid;
  if (!read_hex(cursor, object.size) || !read_hex(cursor, object.inode) ||
      !read_hex(cursor, mode) || !read_hex(cursor, uid) || !read_hex(cursor, gid) ||
      !read_time(cursor, object.atime) || !read_time(cursor, object.mtime) || *cursor != '\0') {
    return false;
  }
  // Of nothing but a regular file is there an object.
  if ((mode & ~07777ull) != S_IFREG || object.size >> 63 != 0) return false;
  object.mode = static_cast<mode_t>(mode);
  object.uid = static_cast<uid_t>(uid);
  object.gid = static_cast<gid_t>(gid);
  return true;
}

bool begin(PathBuffer& out, char kind) {
  return out.assign(kRecordPrefix, kRecordPrefixLength) && out.append_character(kind);
}

bool append_time(PathBuffer& out, const struct timespec& time) {
  return append_hex(out, static_cast<uint64_t>(time.tv_sec)) &&
         append_hex(out, static_cast<uint64_t>(time.tv_nsec));
}

}  // namespace

void parse_record(const char* target, uint32_t length, Record& record) {
  record.kind = RecordKind::none;
  record.damaged = false;
  record.payload = nullptr;
  record.inode = 0;
  record.device = 0;
  if (length <= kRecordPrefixLength || memcmp(target, kRecordPrefix, kRecordPrefixLength) != 0) {
    return;
  }
  record.payload = target + kRecordPrefixLength + 1;
  switch (target[kRecordPrefixLength]) {
    case kWhiteout: record.kind = RecordKind::whiteout; return;
    case kLink: record.kind = RecordKind::link; return;
    case kKeptLink:
      if (read_hex(record.payload, record.inode) && read_hex(record.payload, record.device) &&
          *record.payload == ' ') {
        ++record.payload;
        record.kind = RecordKind::link;
        return;
      }
      break;
    case kOpaque:
      record.kind = RecordKind::opaque;
      record.damaged = !read_hex(record.payload, record.generation);
      return;
    case kRedirect:
      if (read_hex(record.payload, record.generation) && *record.payload == ' ') {
        ++record.payload;
        record.kind = RecordKind::redirect;
        return;
      }
      break;
    case kObject:
      if (parse_object(record.payload, length - kRecordPrefixLength - 1, record.object)) {
        record.kind = RecordKind::object;
        return;
      }
      break;
    default: break;
  }
  record.kind = RecordKind::whiteout;
  record.damaged = true;
}

bool format_object_record(const ObjectRecord& object, PathBuffer& out) {
  char hex[Digest::kHexLength];
  digest_to_hex(object.digest, hex);
  return begin(out, kObject) && out.append(hex, sizeof(hex)) && append_hex(out, object.size) &&
         append_hex(out, object.inode) && append_hex(out, object.mode) &&
         append_hex(out, object.uid) && append_hex(out, object.gid) &&
         append_time(out, object.atime) && append_time(out, object.mtime);
}

bool format_whiteout_record(PathBuffer& out) { return begin(out, kWhiteout); }

bool format_opaque_record(uint64_t generation, PathBuffer& out) {
  return begin(out, kOpaque) && append_hex(out, generation);
}

bool format_redirect_record(uint64_t generation, const char* base_path, PathBuffer& out) {
  return begin(out, kRedirect) && append_hex(out, generation) && out.append_character(' ') &&
         out.append(base_path);
}

bool format_link_target(const char* target, PathBuffer& out) {
  if (strncmp(target, kRecordPrefix, kRecordPrefixLength) == 0) {
    return begin(out, kLink) && out.append(target);
  }
  return out.assign(target);
}

bool format_kept_link_target(const char* target, uint64_t inode, uint64_t device, PathBuffer& out) {
  return begin(out, kKeptLink) && append_hex(out, inode) && append_hex(out, device) &&
         out.append_character(' ') && out.append(target);
}

}  // namespace vfs
