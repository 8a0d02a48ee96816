// The tables of the manifest and how older ones become today's.
#pragma once

#include "manifest/database.h"

namespace vfs {

// Creates or migrates, in one transaction. Throws Error if the database is of
// a newer version than this program knows.
void prepare_schema(Database& database);

}  // namespace vfs
