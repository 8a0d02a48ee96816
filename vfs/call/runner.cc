#include "vfs/call/runner.h"

#include <errno.h>
#include <fmt/format.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "vfs/call/show.h"
#include "vfs/command/text.h"

namespace vfs::call {
namespace {

std::string error_name(int error) {
  const char* name = strerrorname_np(error);
  return name != nullptr ? name : fmt::format("error {}", error);
}

void complain(const std::string& function, const std::string& why) {
  fflush(stdout);
  fmt::print(stderr, "vfs: {}: {}\n", function, why);
}

void print_result(const Step& step, const Slot& result, int error, bool json) {
  const Type& type = step.function.signature.result;
  if (json) {
    nlohmann::json line{{"function", step.call.function}, {"result", as_json(type, result)}};
    if (!step.call.result.empty()) line["name"] = step.call.result;
    line["errno"] = error != 0 ? nlohmann::json(error_name(error)) : nlohmann::json();
    fmt::print("{}\n", line.dump());
    return;
  }
  if (type.kind == Kind::none) return;
  fmt::print("{}{}{}{}{}\n", step.call.result, step.call.result.empty() ? "" : "=", shown(show(type, result)),
             error != 0 ? " " : "", error != 0 ? error_name(error) : "");
}

}  // namespace

void end_after(const Crash& crash, const std::string& function) {
  // Nothing that allocates or locks: the function may have held what that needs.
  char text[256];
  const auto end = fmt::format_to_n(text, sizeof(text) - 1, "vfs: {}: {}\n", function, crash_text(crash)).out;
  const ssize_t written = write(STDERR_FILENO, text, static_cast<size_t>(end - text));
  static_cast<void>(written);
  _exit(1);
}

bool Runner::judge(const Step& step, const Slot& result, int error) const {
  const std::string& name = step.call.function;
  const bool failed = has_failed(name, step.function.signature.result, result, error);
  print_result(step, result, failed ? error : 0, rules_.json);
  const bool should_fail = step.call.expected == Call::Expected::failure;
  if (!failed && should_fail) {
    complain(name, step.call.error.empty() ? "succeeded, and should have failed"
                                           : "succeeded, and should have failed with " + step.call.error);
    return false;
  }
  if (!failed) return true;
  if (!should_fail) {
    complain(name, fmt::format("{}, {}", error_name(error), strerror(error)));
    return false;
  }
  if (step.call.error.empty() || step.call.error == error_name(error)) return true;
  complain(name, fmt::format("failed with {}, and should have with {}", error_name(error), step.call.error));
  return false;
}

bool Runner::obey_function(const Step& step, Evaluator& evaluator) {
  const Prepared call = prepare(step, evaluator);
  Slot result = {};
  fflush(stdout);  // what the function prints, and what a fork copies, comes after what is printed already
  errno = 0;
  invoke(call, result);
  const int error = errno;
  narrow(call.interface->result, result);
  if (!step.call.result.empty()) {
    Variable& variable = variables_[step.call.result];
    variable = {};
    variable.type = step.function.signature.result;
    variable.value = result;
  }
  return judge(step, result, error);
}

void Runner::obey_pseudo(const Step& step, Evaluator& evaluator) const {
  const std::vector<Argument>& arguments = step.call.arguments;
  Place place = evaluator.place(arguments[0]);
  const std::string name = arguments[0].text.substr(1);
  if (step.call.function == "set") {
    evaluator.assign(place, arguments[1]);
    return;
  }
  size_t bytes = place.count * element_size(place);
  if (arguments.size() == 2) {
    const uint64_t wanted = evaluator.number(arguments[1], Kind::unsigned_long);
    if (wanted > bytes) throw ScriptError(fmt::format("'@{}': has only {} bytes", name, bytes));
    bytes = wanted;
  }
  if (step.call.function == "hex") {
    const std::string text = hex(place.address, bytes);
    fmt::print("{}", rules_.json ? nlohmann::json{{"hex", text.substr(0, text.size() - (text.empty() ? 0 : 1))}}.dump() + "\n" : text);
  } else if (place.is_text && arguments.size() == 2) {
    const std::string text(static_cast<const char*>(place.address), bytes);
    fmt::print("{}\n", rules_.json ? nlohmann::json{{"print", json_text(text)}}.dump() : shown(text));
  } else if (rules_.json) {
    fmt::print("{}\n", nlohmann::json{{"print", as_json(place)}, {"name", name}}.dump());
  } else {
    fmt::print("{}", show(place, place.kind == Kind::structure || place.count > 1 ? (place.is_text ? "" : name) : ""));
  }
}

bool Runner::obey(const Step& step) {
  Evaluator evaluator(knowledge_, variables_, arena_, Evaluator::Phase::run);
  if (!step.function.name.empty()) return obey_function(step, evaluator);
  obey_pseudo(step, evaluator);
  return true;
}

bool Runner::run(const std::vector<Step>& steps) {
  Guard guard;
  bool well = true;
  for (const Step& step : steps) {
    bool one = false;
    try {
      const Crash crash = guard.run([&] { one = obey(step); });
      if (crash.signal != 0) end_after(crash, step.call.function);
    } catch (const ScriptError& error) {  // what only a result could tell: a NULL that has no fields
      complain(step.call.function, error.what());
    }
    well = well && one;
    if (!one && !rules_.keep_going) return false;
  }
  return well;
}

}  // namespace vfs::call
