// A thin owner for SQLite: errors become vfs::Error, handles close themselves.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cas/digest.h"
#include "cas/error.h"

namespace vfs {

class Statement;

// What to do about a manifest that says what cannot be.
constexpr char kDamagedHint[] =
    "the manifest is damaged: restore manifest.db from a copy; objects are not affected";

// One connection. Not for use from several threads at once.
class Database {
 public:
  // Opens or creates; sets WAL, foreign keys and a busy timeout of 60 s. What
  // a transaction wrote is atomic and stays over any kill; over a power failure
  // only once it is durable (see Transaction) or in the database file.
  // Throws Error: not a database, damaged, not writable.
  explicit Database(const std::filesystem::path& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const char* sql);
  // Preparing costs more than most statements do. So a statement that goes out
  // of scope is kept, and prepare() gives it out again for the same text.
  Statement prepare(const std::string& sql);
  int64_t last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }
  int changes() const { return sqlite3_changes(handle_.get()); }
  [[noreturn]] void fail() const;

 private:
  void distrust();
  void use_write_ahead_log();
  static int after_commit(void* self, sqlite3* handle, const char*, int pages);

  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  friend class Statement;
  void give_back(sqlite3_stmt* statement);

  std::unique_ptr<sqlite3, Close> handle_;
  std::string name_;
  int log_pages_ = 0;  // in the log, after our last commit
  std::unordered_map<std::string, std::vector<sqlite3_stmt*>> idle_;  // by their text
};

// A prepared statement; must not outlive its database. bind() counts from 1,
// columns from 0, as SQLite does.
class Statement {
 public:
  Statement(Database& database, sqlite3_stmt* handle) : database_(&database), handle_(handle) {}
  Statement(Statement&& other) noexcept
      : database_(other.database_), handle_(std::exchange(other.handle_, nullptr)) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(database_, other.database_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Statement() {
    if (handle_ != nullptr) database_->give_back(handle_);
  }

  Statement& bind(int at, int64_t value);
  Statement& bind_text(int at, std::string_view value);
  Statement& bind_blob(int at, std::string_view value);
  Statement& bind(int at, const Digest& value);
  Statement& bind_null(int at);

  // Advances; true if there is a row.
  bool step();
  // Runs to the end and makes the statement ready for other values.
  void run();
  void reset();

  bool is_null(int column) const;
  int64_t integer(int column) const;
  std::string_view bytes(int column) const;  // valid until the next step
  Digest digest(int column) const;

 private:
  Database* database_;
  sqlite3_stmt* handle_;
};

// While it exists, rows are written without asking the CHECK constraints: for
// rows that are right by how they are made. An IN in a constraint costs SQLite a
// table of its own for each row, ten times what the row costs otherwise.
// `vfs verify` asks the constraints of every row.
class UncheckedRows {
 public:
  explicit UncheckedRows(Database& database);
  ~UncheckedRows();
  UncheckedRows(const UncheckedRows&) = delete;
  UncheckedRows& operator=(const UncheckedRows&) = delete;

 private:
  Database& database_;
};

// Rolls back unless committed.
class Transaction {
 public:
  // write: takes the write lock at once, so that a second writer waits here
  // and not in the middle. read: everything is read from one state of the
  // database, and many small queries cost less; ending it needs no commit().
  // durable: commit() waits until the disk has it.
  enum Kind { write, read, durable };
  explicit Transaction(Database& database, Kind kind = write);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();

 private:
  Database& database_;
  bool durable_;
  bool done_ = false;
};

}  // namespace vfs
