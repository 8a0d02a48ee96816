// The cache of what headers said: one file with a checksum, which is replaced as a whole, so that no reader ever sees
// a part of one. rfcs/0012 has the format. Functions are thread-safe; an object belongs to one thread.
#pragma once

#include <stdint.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vfs::call {

// What one reading of headers said: sorted lines "func NAME TYPE HEADER", "const NAME VALUE", "file ...", with tabs.
class Facts {
 public:
  explicit Facts(std::string sorted_lines)
      : text_(std::make_shared<const std::string>(std::move(sorted_lines))), lines_(*text_) {}
  // `lines` are a part of `text`, which is not copied.
  Facts(std::shared_ptr<const std::string> text, std::string_view lines) : text_(std::move(text)), lines_(lines) {}

  // What stands behind "KIND NAME" in the line of this name; nothing if there is none.
  std::optional<std::string_view> find(std::string_view kind, std::string_view name) const;
  void add_names(std::string_view kind, std::vector<std::string_view>& names) const;
  // Whether every file that was read is as it was then.
  bool are_fresh() const;
  std::string_view lines() const { return lines_; }

 private:
  std::shared_ptr<const std::string> text_;
  std::string_view lines_;
};

// Makes facts of what vfs-headers printed: sorted, and the files with their size and time. Nothing if one of them
// has changed since `started` (seconds): then nobody knows which text was read.
std::optional<Facts> make_facts(std::string_view printed, int64_t started);

// What the cache at `path` holds for `key`; nothing if it holds none, or is damaged or of another version.
std::optional<Facts> read_facts(const std::string& path, const std::string& key);

// Puts it there, beside what other keys have; the oldest go if there are more than 16, or 16 MiB. What goes wrong is
// no error: a cache may fail.
void write_facts(const std::string& path, const std::string& key, const Facts& facts);

// Runs `work` while no other process does, if the lock can be had at all; waits for it.
void with_lock(const std::string& path, const std::function<void()>& work);

// $XDG_CACHE_HOME/vfs/functions, else ~/.cache/vfs/functions; empty if there is neither. Its directory is made.
std::string fact_path();

}  // namespace vfs::call
