// Checks a script as a whole, then obeys it. One thread, one at a time in a process.
#pragma once

#include <stdint.h>

#include <string>
#include <vector>

#include "vfs/call/evaluate.h"
#include "vfs/call/guard.h"
#include "vfs/call/invoke.h"
#include "vfs/call/knowledge.h"
#include "vfs/call/script.h"

namespace vfs::call {

struct Rules {
  std::vector<std::string> allowed, denied;  // patterns of names; nothing in `allowed`: all
  bool json = false;
  bool keep_going = false;
};

// One call of a script, ready.
struct Step {
  Call call;
  Function function;  // without a name: print, hex, set
  void* symbol = nullptr;
};

class Runner {
 public:
  Runner(Knowledge& knowledge, Rules rules) : knowledge_(knowledge), rules_(std::move(rules)) {}

  // Everything that can be known before: functions, numbers and types of arguments, constants, names. Throws
  // ScriptError.
  std::vector<Step> check(const std::vector<Call>& calls);

  // Prints each result; false if a call failed that should not have, or the other way round, which standard error
  // tells. A call that crashes ends the process with 1.
  bool run(const std::vector<Step>& steps);

  // Times the last step, `times` times, after those before it have run. False as run().
  bool repeat(const std::vector<Step>& steps, uint64_t times);

 private:
  Function look_up(const Call& call);
  void check_allowed(const std::string& name) const;
  void check_arguments(const Step& step, Evaluator& evaluator);
  Prepared prepare(const Step& step, Evaluator& evaluator);
  bool obey(const Step& step);
  bool obey_function(const Step& step, Evaluator& evaluator);
  void obey_pseudo(const Step& step, Evaluator& evaluator) const;
  bool judge(const Step& step, const Slot& result, int error) const;

  Knowledge& knowledge_;
  Rules rules_;
  Variables variables_;
  Arena arena_;
  Interfaces interfaces_;
};

// What a function is and where it comes from, as text or JSON.
std::string explain(Knowledge& knowledge, const std::string& name, bool json);

bool is_pseudo(std::string_view name);

// "open: no header and no table has it; nearly so: ..."
[[noreturn]] void refuse_unknown(Knowledge& knowledge, const std::string& name);

// Why it must not be called from here; empty if it may be.
std::string_view reason_against(std::string_view name);

[[noreturn]] void end_after(const Crash& crash, const std::string& function);

}  // namespace vfs::call
