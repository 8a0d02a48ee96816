// What the arguments of a script are worth to the parameters of a function. One thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "vfs/call/knowledge.h"
#include "vfs/call/layout.h"
#include "vfs/call/number.h"
#include "vfs/call/script.h"
#include "vfs/call/value.h"

namespace vfs::call {

class Evaluator {
 public:
  // What pointers lead to is looked at only while a script runs: before, results are not there yet.
  enum class Phase { check, run };

  Evaluator(Knowledge& knowledge, Variables& variables, Arena& arena, Phase phase)
      : knowledge_(knowledge), variables_(variables), arena_(arena), phase_(phase) {}

  // The argument as `parameter` wants it. Throws ScriptError if it cannot be that.
  void pass(const Argument& argument, const Type& parameter, Slot& slot);
  // Behind the "..." of a variadic function: by what it looks like. Tells the kind: an integer is a long, which the
  // callee may read as an int, since both come in a whole register.
  Kind pass_variadic(const Argument& argument, Slot& slot);

  // "@name.field": where it is. A result that is no pointer lies in its variable. Throws ScriptError.
  Place place(const Argument& reference);
  // A number for a pseudo-call: a size, an element of a structure.
  uint64_t number(const Argument& argument, Kind kind);
  void assign(const Place& place, const Argument& value);

 private:
  Variable& variable(const std::string& name);
  Integer referenced(std::string_view text);
  Place step_into(Place place, const PathStep& step, const std::string& name) const;
  void reference(const Argument& argument, const Type* parameter, Kind kind, Slot& slot);
  void integer(const Argument& argument, Kind kind, Slot& slot);
  void floating(const Argument& argument, Kind kind, Slot& slot);
  void pointer(const Argument& argument, const Type& type, Slot& slot);
  void* word_as_pointer(const Argument& argument, const Type& type);
  void* list(const Argument& argument, const Type& type);
  void* declare(const Argument& argument, const Type& parameter);
  void* address_of(const std::string& symbol) const;
  void* copy_text(const std::string& text);
  void* strings(const Argument& argument);
  void fill(const Place& place, const Argument& argument);
  void fill_structure(char* at, const Layout& layout, const Argument& argument);

  Knowledge& knowledge_;
  Variables& variables_;
  Arena& arena_;
  Phase phase_;
};

// ", did you mean ...?", or nothing.
std::string suggestion(const std::vector<std::string>& names);

}  // namespace vfs::call
