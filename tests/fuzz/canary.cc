// Not a target but a test of what runs them: a step out of memory behind a few
// comparisons. If that is not found then nothing would be.
#include "tests/fuzz/harness.h"

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  vfs::fuzz::write_seeds({"seed"});
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint8_t> copy(data, data + size);
  if (size < 3 || copy[0] != 'V' || copy[1] != 'F') return 0;
  volatile uint8_t behind = copy.data()[size];
  return behind - behind;
}
