// `vfs call` of a build without libffi.
#include "vfs/command/commands.h"

namespace vfs {

void add_call_commands(Commands& commands, Context&) {
  commands.add("call", "Call C functions by name (not in this build).", [](CLI::App& command) {
    command.prefix_command();
    command.callback([] {
      throw Error("call", "this vfs was built without libffi",
                  "install libffi-dev (scripts/setup does) and build again, without -Dcall=disabled");
    });
  });
}

}  // namespace vfs
