// A thin owner for SQLite: errors become vfs::Error, handles close themselves.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "cas/digest.h"

namespace vfs {

class Statement;

// One connection. Not for use from several threads at once.
class Database {
 public:
  // Opens or creates; sets WAL, foreign keys and a busy timeout of 60 s.
  explicit Database(const std::filesystem::path& path);

  void execute(const char* sql);
  Statement prepare(std::string_view sql);
  int64_t last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }
  int changes() const { return sqlite3_changes(handle_.get()); }
  [[noreturn]] void fail() const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
  std::string name_;
};

// A prepared statement. bind() counts from 1, columns from 0, as SQLite does.
class Statement {
 public:
  Statement(Database& database, sqlite3_stmt* handle) : database_(&database), handle_(handle) {}

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
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
  };
  Database* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

// Begins at once (IMMEDIATE: a second writer waits here and not in the middle)
// and rolls back unless committed.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) {
    database_.execute("BEGIN IMMEDIATE");
  }
  ~Transaction();
  void commit() {
    database_.execute("COMMIT");
    done_ = true;
  }

 private:
  Database& database_;
  bool done_ = false;
};

}  // namespace vfs
