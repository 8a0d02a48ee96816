// An index file, mapped for as long as this lives.
#pragma once

#include <filesystem>
#include <string>

#include "vfs/core/index_level.h"

namespace vfs {

class IndexFile {
 public:
  // Does not throw: what is wrong with the file, or with its header, says
  // problem(). The rest of the file is not looked at.
  explicit IndexFile(const std::filesystem::path& path);
  ~IndexFile();
  IndexFile(const IndexFile&) = delete;
  IndexFile& operator=(const IndexFile&) = delete;

  const std::string& problem() const { return problem_; }
  bool is_sound() const { return problem_.empty(); }

  // Only if it is sound.
  IndexLevel level() const { return IndexLevel(base_); }
  const IndexHeader& header() const { return level().header(); }
  bool is_delta() const { return header().main_offset != 0; }
  // Reads all of it.
  bool body_is_sound() const;

 private:
  std::string problem_;
  const char* base_ = nullptr;
  uint64_t size_ = 0;
};

}  // namespace vfs
