// Large working memory for starting a program: a mapping of its own, all zeros
// and paid for only where it is touched. No heap: exec is called between fork
// and exec, where malloc's locks may be held for ever.
#pragma once

#include <stddef.h>

namespace shim {

void* map_scratch(size_t size);  // null: no memory
void unmap_scratch(void* memory, size_t size);

// In the parent of a vfork that resumes: a child that started its program left
// its mappings behind in our memory, for exec never returned to give them back.
void release_scratch_of_vfork_child();

// The same for a size that is known only at run time.
class ScratchBytes {
 public:
  ScratchBytes() = default;
  ~ScratchBytes() {
    if (memory_ != nullptr) unmap_scratch(memory_, size_);
  }
  ScratchBytes(const ScratchBytes&) = delete;
  ScratchBytes& operator=(const ScratchBytes&) = delete;

  // To be called once. Null: no memory.
  void* allocate(size_t size) {
    size_ = size;
    memory_ = map_scratch(size);
    return memory_;
  }

 private:
  void* memory_ = nullptr;
  size_t size_ = 0;
};

// T is plain data for which all zeros is the empty state.
template <typename T>
class Scratch {
 public:
  Scratch() : memory_(static_cast<T*>(map_scratch(sizeof(T)))) {}
  ~Scratch() {
    if (memory_ != nullptr) unmap_scratch(memory_, sizeof(T));
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  explicit operator bool() const { return memory_ != nullptr; }
  T* operator->() const { return memory_; }
  T& operator*() const { return *memory_; }

 private:
  T* memory_;
};

}  // namespace shim
