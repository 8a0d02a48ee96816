#include "shim/elf_file.h"

#include <string.h>
#include <sys/mman.h>

#include "vfs/core/sys.h"

namespace shim {
namespace {

namespace sys = vfs::sys;

#if defined(__x86_64__)
constexpr ElfW(Half) kMachine = EM_X86_64;
#else
constexpr ElfW(Half) kMachine = EM_AARCH64;
#endif

}  // namespace

bool ElfFile::open(const char* path) {
  *this = ElfFile{};
  const int fd = sys::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  struct stat status;
  void* mapped = nullptr;
  if (sys::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
      status.st_size >= static_cast<off_t>(sizeof(ElfW(Ehdr)))) {
    mapped = sys::mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
  }
  sys::close(fd);
  if (mapped == nullptr || sys::is_error(mapped)) return false;
  bytes_ = static_cast<const unsigned char*>(mapped);
  size_ = static_cast<size_t>(status.st_size);
  if (read_headers()) {
    find_dynamic();
    return true;
  }
  close();
  return false;
}

void ElfFile::close() {
  if (bytes_ != nullptr) sys::munmap(const_cast<unsigned char*>(bytes_), size_);
  *this = ElfFile{};
}

bool ElfFile::read_headers() {
  const auto* header = reinterpret_cast<const ElfW(Ehdr)*>(bytes_);
  const unsigned char word_size = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
  if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != word_size ||
      header->e_machine != kMachine || header->e_phentsize != sizeof(ElfW(Phdr))) {
    return false;
  }
  const size_t table = static_cast<size_t>(header->e_phnum) * sizeof(ElfW(Phdr));
  if (header->e_phoff % alignof(ElfW(Phdr)) != 0 || header->e_phoff > size_ ||
      size_ - header->e_phoff < table) {
    return false;
  }
  segments_ = reinterpret_cast<const ElfW(Phdr)*>(bytes_ + header->e_phoff);
  segment_count_ = header->e_phnum;
  return true;
}

// Where an address of the loaded file is in the file, and how much follows.
const unsigned char* ElfFile::at_address(ElfW(Addr) address, size_t& left) const {
  for (size_t i = 0; i < segment_count_; ++i) {
    const ElfW(Phdr)& segment = segments_[i];
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr ||
        address - segment.p_vaddr >= segment.p_filesz) {
      continue;
    }
    const size_t within = address - segment.p_vaddr;
    if (segment.p_offset > size_ || size_ - segment.p_offset <= within) return nullptr;
    left = size_ - segment.p_offset - within;
    return bytes_ + segment.p_offset + within;
  }
  return nullptr;
}

void ElfFile::find_dynamic() {
  for (size_t i = 0; i < segment_count_; ++i) {
    const ElfW(Phdr)& segment = segments_[i];
    if (segment.p_type != PT_DYNAMIC || segment.p_offset % alignof(ElfW(Dyn)) != 0 ||
        segment.p_offset > size_ || size_ - segment.p_offset < segment.p_filesz) {
      continue;
    }
    dynamic_ = reinterpret_cast<const ElfW(Dyn)*>(bytes_ + segment.p_offset);
    dynamic_count_ = segment.p_filesz / sizeof(ElfW(Dyn));
  }
  ElfW(Addr) strings = 0;
  size_t wanted = 0;
  for (size_t i = 0; i < dynamic_count_ && dynamic_[i].d_tag != DT_NULL; ++i) {
    if (dynamic_[i].d_tag == DT_STRTAB) strings = dynamic_[i].d_un.d_ptr;
    if (dynamic_[i].d_tag == DT_STRSZ) wanted = dynamic_[i].d_un.d_val;
  }
  size_t left = 0;
  const unsigned char* found = strings != 0 ? at_address(strings, left) : nullptr;
  if (found == nullptr) return;
  strings_ = reinterpret_cast<const char*>(found);
  strings_size_ = wanted < left ? wanted : left;
}

const char* ElfFile::string(ElfW(Xword) offset) const {
  if (offset >= strings_size_) return nullptr;
  const char* text = strings_ + offset;
  const size_t left = strings_size_ - offset;
  return strnlen(text, left) < left ? text : nullptr;
}

const char* ElfFile::text(ElfW(Sxword) tag) const {
  for (size_t i = 0; i < dynamic_count_ && dynamic_[i].d_tag != DT_NULL; ++i) {
    if (dynamic_[i].d_tag == tag) return string(dynamic_[i].d_un.d_val);
  }
  return nullptr;
}

const char* ElfFile::interpreter() const {
  for (size_t i = 0; i < segment_count_; ++i) {
    const ElfW(Phdr)& segment = segments_[i];
    if (segment.p_type != PT_INTERP || segment.p_offset > size_ ||
        size_ - segment.p_offset < segment.p_filesz) {
      continue;
    }
    const char* text = reinterpret_cast<const char*>(bytes_ + segment.p_offset);
    return strnlen(text, segment.p_filesz) < segment.p_filesz ? text : nullptr;
  }
  return nullptr;
}

const char* ElfFile::needed(unsigned number) const {
  for (size_t i = 0; i < dynamic_count_ && dynamic_[i].d_tag != DT_NULL; ++i) {
    if (dynamic_[i].d_tag == DT_NEEDED && number-- == 0) return string(dynamic_[i].d_un.d_val);
  }
  return nullptr;
}

}  // namespace shim
