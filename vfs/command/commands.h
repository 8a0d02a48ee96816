// Every subcommand adds itself to the parser; its callback does the work.
#pragma once

#include <CLI/CLI.hpp>

#include "vfs/command/context.h"

namespace vfs {

// init, ingest, clone, export
void add_tree_commands(CLI::App& app, Context& context);
// run, shell
void add_run_commands(CLI::App& app, Context& context);
// status, diff, commit, switch, restore, discard
void add_change_commands(CLI::App& app, Context& context);
// log, show, refs, rm-ref
void add_history_commands(CLI::App& app, Context& context);
// ls, cat, stat
void add_view_commands(CLI::App& app, Context& context);
// gc, verify, stats
void add_store_commands(CLI::App& app, Context& context);

// "--json", which every command that prints something has.
void add_json_flag(CLI::App& command, Context& context);
// Printed as one line.
void print_json(const std::string& text);

// A moment of a nanosecond clock as people read it, in UTC.
std::string time_text(int64_t seconds);

// Bytes of a path as valid UTF-8 for JSON: bytes that are not become \xNN.
std::string json_text(std::string_view bytes);

}  // namespace vfs
