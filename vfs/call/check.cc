#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <iterator>

#include "vfs/call/libraries.h"
#include "vfs/call/runner.h"

namespace vfs::call {

bool is_pseudo(std::string_view name) { return name == "print" || name == "hex" || name == "set"; }

std::string_view reason_against(std::string_view name) {
  constexpr std::string_view kReturnTwice[] = {"vfork", "__vfork", "setjmp", "_setjmp", "sigsetjmp", "__sigsetjmp",
                                               "getcontext"};
  const auto* const end = std::end(kReturnTwice);
  if (std::find(std::begin(kReturnTwice), end, name) == end) return "";
  return "returns twice into the frame that called it, which is gone by then";
}

void refuse_unknown(Knowledge& knowledge, const std::string& name) {
  std::string why = name + ": no standard header declares it" + suggestion(knowledge.near_functions(name));
  if (!knowledge.excuse().empty()) why += "; " + knowledge.excuse();
  throw ScriptError(why + "; --header names another header, and a signature may stand before it: 'int(const char *)' " +
                    name);
}

void Runner::check_allowed(const std::string& name) const {
  const auto matches = [&](const std::vector<std::string>& patterns) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& one) { return fnmatch(one.c_str(), name.c_str(), 0) == 0; });
  };
  if (matches(rules_.denied)) throw ScriptError(name + ": --deny forbids it");
  if (!rules_.allowed.empty() && !matches(rules_.allowed)) throw ScriptError(name + ": --allow does not name it");
  if (const std::string_view reason = reason_against(name); !reason.empty()) {
    throw ScriptError(fmt::format("{}: {}", name, reason));
  }
}

Function Runner::look_up(const Call& call) {
  if (!call.signature.empty()) {
    try {
      return {call.function, parse_signature(call.signature), "", "script"};
    } catch (const std::invalid_argument& error) {
      throw ScriptError("'" + call.signature + "': " + error.what());
    }
  }
  try {
    if (std::optional<Function> found = knowledge_.function(call.function)) return *found;
  } catch (const std::invalid_argument& error) {
    throw ScriptError(call.function + ": " + error.what());
  }
  if (find_symbol(call.function) != nullptr) {
    throw ScriptError(call.function + ": is exported, but no header says how it is called: name one with --header, or put "
                      "its signature before it, as in 'int(const char *)' " + call.function);
  }
  refuse_unknown(knowledge_, call.function);
}

void Runner::check_arguments(const Step& step, Evaluator& evaluator) {
  const std::vector<Argument>& arguments = step.call.arguments;
  if (step.function.name.empty()) {
    constexpr size_t kMost = 2;
    if (arguments.empty() || arguments.size() > kMost || (step.call.function == "set" && arguments.size() != 2)) {
      throw ScriptError("print and hex take @name and perhaps a number of bytes, set takes @name and a value");
    }
    if (!step.call.result.empty() || step.call.expected != Call::Expected::success) {
      throw ScriptError(step.call.function + " has no result, and cannot fail");
    }
    const Place place = evaluator.place(arguments[0]);
    if (step.call.function == "print" && arguments.size() == 2 && !place.is_text) {
      throw ScriptError("print: '" + arguments[0].text + "': so many bytes are printed of a buffer of bytes only");
    }
    return;
  }
  const size_t wanted = step.function.signature.parameters.size();
  const bool variadic = step.function.signature.variadic;
  if (arguments.size() < wanted || (arguments.size() > wanted && !variadic)) {
    throw ScriptError(fmt::format("{}: {} argument{}, and it takes {}{}: {}", step.call.function, arguments.size(),
                                  arguments.size() == 1 ? "" : "s", variadic ? "at least " : "", wanted,
                                  text_of(step.function.signature, step.call.function)));
  }
  constexpr size_t kMost = 64;
  if (arguments.size() > kMost) throw ScriptError(step.call.function + ": more than 64 arguments");
  prepare(step, evaluator);
}

Prepared Runner::prepare(const Step& step, Evaluator& evaluator) {
  Prepared call;
  call.function = step.symbol;
  call.arguments.resize(step.call.arguments.size());
  const std::vector<Type>& parameters = step.function.signature.parameters;
  std::vector<Kind> extra;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    const Argument& argument = step.call.arguments[i];
    try {
      if (i < parameters.size()) {
        evaluator.pass(argument, parameters[i], call.arguments[i]);
      } else {
        extra.push_back(evaluator.pass_variadic(argument, call.arguments[i]));
      }
    } catch (const std::runtime_error& error) {
      throw ScriptError(fmt::format("{}, argument {}: {}", step.call.function, i + 1, error.what()));
    } catch (const std::invalid_argument& error) {
      throw ScriptError(fmt::format("{}, argument {}: {}", step.call.function, i + 1, error.what()));
    }
  }
  call.interface = &interfaces_.prepare(step.function.signature, extra);
  point_to_arguments(call);
  return call;
}

std::vector<Step> Runner::check(const std::vector<Call>& calls) {
  std::vector<Step> steps;
  Evaluator evaluator(knowledge_, variables_, arena_, Evaluator::Phase::check);
  for (const Call& call : calls) {
    Step step;
    step.call = call;
    if (!is_pseudo(call.function) || !call.signature.empty()) {
      check_allowed(call.function);
      step.function = look_up(call);
      step.symbol = find_symbol(call.function);
      if (step.symbol == nullptr) {
        throw ScriptError(call.function + ": no library that is loaded exports it; -l loads one");
      }
    }
    check_arguments(step, evaluator);
    if (!call.result.empty()) {
      Variable& result = variables_[call.result];
      result = {};
      result.type = step.function.signature.result;
      if (result.type.kind == Kind::none) throw ScriptError(call.function + ": returns nothing to call " + call.result);
    }
    steps.push_back(std::move(step));
  }
  variables_.clear();
  return steps;
}

}  // namespace vfs::call
