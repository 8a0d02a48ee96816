#include "manifest/database.h"

#include <chrono>
#include <new>
#include <thread>

#include "cas/error.h"

namespace vfs {

constexpr std::chrono::seconds kBusyTimeout{60};

// The log outlives the processes that wrote it, so that not every command waits
// for the disk three times to move a few pages into the database. But whoever
// opens the database first reads the log: it must not get long.
constexpr int kLongLog = 256;        // pages: moved when a connection that wrote is closed
constexpr int kVeryLongLog = 1000;   // pages: moved at the next commit

constexpr int kLongestRow = 1 << 20;  // bytes: no name, target or message comes near

Database::Database(const std::filesystem::path& path) : name_(path.string()) {
  sqlite3* handle = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &handle,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                                         SQLITE_OPEN_NOMUTEX,  // one thread at a time: see the header
                                     nullptr);
  handle_.reset(handle);
  if (result != SQLITE_OK) fail();
  // Else a close that cannot have the shared memory of the log, as on a full disk, may take the log for
  // empty and remove it, with all that is only there (SQLite 3.40).
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_busy_timeout(handle, std::chrono::milliseconds(kBusyTimeout).count());
  distrust();
  // Before anything is changed: a file that is no database must stay as it is.
  execute("PRAGMA schema_version");
  use_write_ahead_log();
  sqlite3_wal_hook(handle, after_commit, this);
  execute("PRAGMA synchronous = NORMAL");
  execute("PRAGMA foreign_keys = ON");
}

// The schema may be one that others have written: it must not call what it
// likes, nor do anything when a table is read or written. (The views are for
// people; actions of foreign keys are no triggers.)
void Database::distrust() {
  sqlite3* const handle = handle_.get();
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, kLongestRow);
}

// The change of a new file's journal mode upgrades a read lock, where SQLite answers SQLITE_BUSY at
// once and never asks the busy handler: several processes that make one manifest would fail.
void Database::use_write_ahead_log() {
  const auto give_up = std::chrono::steady_clock::now() + kBusyTimeout;
  for (;;) {
    const int result =
        sqlite3_exec(handle_.get(), "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
    if (result == SQLITE_OK) return;
    if (result != SQLITE_BUSY || std::chrono::steady_clock::now() > give_up) fail();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void Database::fail() const {
  const int code = sqlite3_errcode(handle_.get());
  std::string hint = "check free space and permissions of the store";
  // Of a query that is right, plain errors are those of a schema that is not ours.
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_ERROR || code == SQLITE_TOOBIG) {
    hint = kDamagedHint;
  }
  throw Error(name_, sqlite3_errmsg(handle_.get()), hint);
}

int Database::after_commit(void* self, sqlite3* handle, const char* name, int pages) {
  static_cast<Database*>(self)->log_pages_ = pages;
  if (pages >= kVeryLongLog) {
    // A reader in the way is no failure of the commit: the next one tries again.
    sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  }
  return SQLITE_OK;
}

void Database::execute(const char* sql) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

Database::~Database() {
  for (const auto& [text, statements] : idle_) {
    for (sqlite3_stmt* statement : statements) sqlite3_finalize(statement);
  }
  if (log_pages_ < kLongLog) return;
  // If another reads the log just now, or the disk is full, the next one that closes tries again.
  sqlite3_busy_timeout(handle_.get(), 0);
  sqlite3_wal_checkpoint_v2(handle_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

Statement Database::prepare(const std::string& sql) {
  if (const auto found = idle_.find(sql); found != idle_.end() && !found->second.empty()) {
    sqlite3_stmt* const handle = found->second.back();
    found->second.pop_back();
    return Statement(*this, handle);
  }
  sqlite3_stmt* handle = nullptr;
  if (sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &handle, nullptr) != SQLITE_OK) {
    fail();
  }
  return Statement(*this, handle);
}

void Database::give_back(sqlite3_stmt* statement) {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  try {
    idle_[sqlite3_sql(statement)].push_back(statement);
  } catch (const std::bad_alloc&) {
    sqlite3_finalize(statement);
  }
}

Statement& Statement::bind(int at, int64_t value) {
  if (sqlite3_bind_int64(handle_, at, value) != SQLITE_OK) database_->fail();
  return *this;
}

Statement& Statement::bind_text(int at, std::string_view value) {
  if (sqlite3_bind_text64(handle_, at, value.data(), value.size(), SQLITE_TRANSIENT,
                          SQLITE_UTF8) != SQLITE_OK) {
    database_->fail();
  }
  return *this;
}

Statement& Statement::bind_blob(int at, std::string_view value) {
  // A null pointer would bind NULL, not an empty blob.
  const char* data = value.data() != nullptr ? value.data() : "";
  if (sqlite3_bind_blob64(handle_, at, data, value.size(), SQLITE_TRANSIENT) != SQLITE_OK) {
    database_->fail();
  }
  return *this;
}

Statement& Statement::bind(int at, const Digest& value) {
  return bind_blob(at, {reinterpret_cast<const char*>(value.bytes), Digest::kSize});
}

Statement& Statement::bind_null(int at) {
  if (sqlite3_bind_null(handle_, at) != SQLITE_OK) database_->fail();
  return *this;
}

bool Statement::step() {
  const int result = sqlite3_step(handle_);
  if (result != SQLITE_ROW && result != SQLITE_DONE) database_->fail();
  return result == SQLITE_ROW;
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

void Statement::reset() { sqlite3_reset(handle_); }

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_, column);
}

std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(handle_, column);
  const int size = sqlite3_column_bytes(handle_, column);
  return {static_cast<const char*>(data), static_cast<size_t>(size)};
}

Digest Statement::digest(int column) const {
  const std::string_view blob = bytes(column);
  Digest digest = {};
  if (blob.size() != Digest::kSize) {
    throw Error("manifest", "a digest has the wrong length", "the database is damaged");
  }
  memcpy(digest.bytes, blob.data(), Digest::kSize);
  return digest;
}

UncheckedRows::UncheckedRows(Database& database) : database_(database) {
  database_.execute("PRAGMA ignore_check_constraints = ON");
}

UncheckedRows::~UncheckedRows() {
  try {
    database_.execute("PRAGMA ignore_check_constraints = OFF");
  } catch (const Error&) {
    // It says nothing of the file: the connection alone stays careless.
  }
}

Transaction::Transaction(Database& database, Kind kind)
    : database_(database), durable_(kind == durable) {
  if (durable_) database_.execute("PRAGMA synchronous = FULL");
  database_.execute(kind == read ? "BEGIN" : "BEGIN IMMEDIATE");
}

void Transaction::commit() {
  database_.execute("COMMIT");
  done_ = true;
  if (durable_) database_.execute("PRAGMA synchronous = NORMAL");
}

Transaction::~Transaction() {
  if (done_) return;
  try {
    database_.execute("ROLLBACK");
    if (durable_) database_.execute("PRAGMA synchronous = NORMAL");
  } catch (const Error&) {
    // Nothing was begun, or SQLite rolled back by itself.
  }
}

}  // namespace vfs
