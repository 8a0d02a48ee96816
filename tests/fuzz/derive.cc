// A commit derives the index of its snapshot from the one before. That may hold
// any bytes, and so may its main: then the index is written in full.
#include "tests/fuzz/snapshots.h"

namespace vfs::fuzz {
namespace {

enum Mode { full, delta, main_of_delta, modes };

struct Bed : Snapshots {
  std::string sound_first = bytes(first);
  std::string sound_second = bytes(second);
};
Bed* bed;

}  // namespace
}  // namespace vfs::fuzz

using namespace vfs;
using namespace vfs::fuzz;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  bed = new Bed;
  write_seeds({std::string(1, full) + bed->sound_first, std::string(1, delta) + bed->sound_second,
               std::string(1, main_of_delta) + bed->sound_first});
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  const unsigned mode = input.byte() % modes;
  std::string bytes(input.rest());
  const IndexHeader first = header_of(bed->sound_first);
  const Snapshot& before = mode == full ? bed->first : bed->second;
  repair_header(bytes, mode == delta ? bed->second.id : bed->first.id, mode == delta ? &first : nullptr);
  std::string other = mode == delta ? bed->sound_first : bed->sound_second;
  if (mode == main_of_delta) {
    const IndexHeader main = header_of(bytes);
    repair_header(other, bed->second.id, &main);
  }
  test::write_file(bed->path(mode == delta ? bed->second : bed->first), bytes);
  test::write_file(bed->path(mode == delta ? bed->first : bed->second), other);
  fs::remove(bed->path(bed->third));
  const Transaction one_state(bed->manifest.database(), Transaction::read);
  write_delta(bed->store, bed->manifest, bed->third, before);
  return 0;
}
