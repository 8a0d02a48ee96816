// Every subcommand adds itself to the parser; its callback does the work.
#pragma once

#include <CLI/CLI.hpp>

#include "vfs/command/context.h"
#include "vfs/command/text.h"

namespace vfs {

// To describe all subcommands takes as long as `vfs status` itself: a parser that
// is going to read one of them needs only that one.
class Commands {
 public:
  // `wanted`: the name of the only one to add; empty for all.
  Commands(CLI::App& app, std::string_view wanted) : app_(app), wanted_(wanted) {}

  template <typename Describe>
  void add(const char* name, const char* purpose, Describe describe) {
    if (!wanted_.empty() && wanted_ != name) return;
    describe(*app_.add_subcommand(name, purpose));
  }

 private:
  CLI::App& app_;
  std::string_view wanted_;
};

// init, ingest, clone, export
void add_tree_commands(Commands& commands, Context& context);
// run, shell
void add_run_commands(Commands& commands, Context& context);
// status, diff, commit, switch, restore, discard
void add_change_commands(Commands& commands, Context& context);
// log, show, refs, rm-ref
void add_history_commands(Commands& commands, Context& context);
// ls, cat, stat
void add_view_commands(Commands& commands, Context& context);
// gc, verify, fsck, stats
void add_store_commands(Commands& commands, Context& context);
// call
void add_call_commands(Commands& commands, Context& context);

inline void add_all_commands(Commands& commands, Context& context) {
  add_tree_commands(commands, context);
  add_run_commands(commands, context);
  add_change_commands(commands, context);
  add_history_commands(commands, context);
  add_view_commands(commands, context);
  add_store_commands(commands, context);
  add_call_commands(commands, context);
}

// "--json", which every command that prints something has.
void add_json_flag(CLI::App& command, Context& context);
// Printed as one line.
void print_json(const std::string& text);

}  // namespace vfs
