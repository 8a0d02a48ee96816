#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "vfs/call/libraries.h"
#include "vfs/call/runner.h"

namespace vfs::call {

std::string explain(Knowledge& knowledge, const std::string& name, bool json) {
  if (!is_name(name)) throw ScriptError("'" + name + "': is no name of a function");
  std::optional<Function> found;
  try {
    found = knowledge.function(name);
    if (!found) refuse_unknown(knowledge, name);
  } catch (const std::invalid_argument& error) {
    throw ScriptError(name + ": " + error.what());
  }
  const std::string signature = text_of(found->signature, name);
  const std::string library = library_of(find_symbol(name));
  const std::string_view reason = reason_against(name);
  if (json) {
    nlohmann::json all{{"function", name}, {"signature", signature}, {"known_from", found->source}};
    all["header"] = found->header.empty() ? nlohmann::json() : nlohmann::json(found->header);
    all["library"] = library.empty() ? nlohmann::json() : nlohmann::json(library);
    all["callable"] = reason.empty() && !library.empty();
    return all.dump() + "\n";
  }
  std::string text = fmt::format("{}\n  header      {}\n  library     {}\n  known from  {}\n", signature,
                                 found->header.empty() ? "none declares it" : found->header,
                                 library.empty() ? "none that is loaded exports it; -l loads one" : library,
                                 found->source);
  if (!reason.empty()) text += fmt::format("  not called  {}\n", reason);
  return text;
}

}  // namespace vfs::call
