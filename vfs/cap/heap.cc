// The heap: blocks of powers of two in lists of what is free, cut from pieces of memory that stay;
// large ones are mappings of their own. For programs that have no other, so small rather than
// clever.
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "vfs/cap/lock.h"
#include "vfs/vfs.h"

namespace vfs::cap {
namespace {

constexpr size_t kSmallest = 32;        // bytes, with the header
constexpr size_t kLargest = 64 * 1024;  // above: a mapping
constexpr size_t kPiece = 256 * 1024;   // what is asked of the kernel at once
constexpr unsigned kClasses = 12;       // 32 << 11 is the largest
static_assert(kSmallest << (kClasses - 1) == kLargest);

// Stands before each block, which so is aligned to 16.
struct Header {
  uint64_t size;  // of the whole: a power of two, or the bytes that were mapped
  Header* next;   // while it is free
};
static_assert(sizeof(Header) == 16);

Lock lock;
Header* free_blocks[kClasses];
char* piece;
size_t piece_left;

unsigned class_of(size_t size) {
  unsigned index = 0;
  while (kSmallest << index < size) ++index;
  return index;
}

void* map(size_t size) {
  void* memory =
      sys::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return sys::is_error(memory) ? nullptr : memory;
}

Header* map_block(size_t size) {
  const size_t whole = (size + 4095) & ~size_t{4095};
  auto* block = static_cast<Header*>(map(whole));
  if (block != nullptr) block->size = whole;
  return block;
}

Header* small_block(unsigned index) {
  const Locked locked(lock);
  if (Header* block = free_blocks[index]) {
    free_blocks[index] = block->next;
    return block;
  }
  const size_t size = kSmallest << index;
  if (piece_left < size) {
    // What is left of the old piece is given up: less than one block of this size.
    auto* fresh = static_cast<char*>(map(kPiece));
    if (fresh == nullptr) return nullptr;
    piece = fresh;
    piece_left = kPiece;
  }
  auto* block = reinterpret_cast<Header*>(piece);
  piece += size;
  piece_left -= size;
  block->size = size;
  return block;
}

}  // namespace
}  // namespace vfs::cap

using namespace vfs::cap;

extern "C" {

void* vfs_malloc(size_t size) {
  if (size > PTRDIFF_MAX - 2 * kPiece) return nullptr;
  const size_t whole = size + sizeof(Header);
  Header* block = whole > kLargest ? map_block(whole) : small_block(class_of(whole));
  return block != nullptr ? block + 1 : nullptr;
}

void vfs_free(void* memory) {
  if (memory == nullptr) return;
  Header* block = static_cast<Header*>(memory) - 1;
  if (block->size > kLargest) {
    vfs::sys::munmap(block, block->size);
    return;
  }
  const Locked locked(lock);
  Header*& list = free_blocks[class_of(block->size)];
  block->next = list;
  list = block;
}

void* vfs_calloc(size_t count, size_t size) {
  size_t whole;
  if (__builtin_mul_overflow(count, size, &whole)) return nullptr;
  void* memory = vfs_malloc(whole);
  // A mapping is zeros already.
  if (memory != nullptr && whole + sizeof(Header) <= kLargest) memset(memory, 0, whole);
  return memory;
}

void* vfs_realloc(void* memory, size_t size) {
  if (memory == nullptr) return vfs_malloc(size);
  const size_t room = (static_cast<Header*>(memory) - 1)->size - sizeof(Header);
  // In place unless that would keep far more than is wanted.
  if (size <= room && size >= room / 4) return memory;
  void* fresh = vfs_malloc(size);
  if (fresh == nullptr) return nullptr;
  memcpy(fresh, memory, size < room ? size : room);
  vfs_free(memory);
  return fresh;
}

}  // extern "C"
