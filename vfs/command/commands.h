// Every subcommand adds itself to the parser; its callback does the work.
#pragma once

#include <CLI/CLI.hpp>

#include "vfs/command/context.h"
#include "vfs/command/text.h"

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

}  // namespace vfs
