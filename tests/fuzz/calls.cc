// Scripts of `vfs call`: any bytes are calls or an error that says something. What was parsed is checked against
// the functions it names, as before the first call; nothing is called.
#include <stdexcept>

#include "tests/fuzz/harness.h"
#include "vfs/call/runner.h"
#include "vfs/call/script.h"
#include "vfs/call/type.h"

using namespace vfs;
using namespace vfs::call;
using namespace vfs::fuzz;

namespace {

// Zeroing a large buffer under a sanitizer takes longer than everything else.
bool is_small(const std::vector<Call>& calls) {
  size_t bytes = 0;
  for (const Call& call : calls) {
    for (const Argument& argument : call.arguments) bytes += argument.count > 65536 ? 65536 : argument.count;
  }
  return bytes < 65536;
}

void check_script(const std::vector<Call>& calls) {
  if (calls.empty() || !is_small(calls)) return;
  Knowledge::Options options;
  options.builtin_only = true;
  Knowledge knowledge(options);
  Runner runner(knowledge, {});
  try {
    const std::vector<Step> steps = runner.check(calls);
    require(steps.size() == calls.size(), "every call is checked");
  } catch (const ScriptError& error) {
    require(*error.what() != '\0', "an error says something");
  }
}

void parse_any_signature(std::string_view text) {
  try {
    const Signature signature = parse_signature(text);
    const Signature again = parse_signature(text_of(signature, "f"));
    require(text_of(again) == text_of(signature), "what a signature is written as means the same");
  } catch (const std::invalid_argument& error) {
    require(*error.what() != '\0', "an error says something");
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  write_seeds({"strlen \"hello\\n\\x41\\101\"", "fd=open out.o O_RDWR|O_CREAT 0644 : ftruncate @fd 4096 : close @fd",
               "!ENOENT open missing O_RDONLY # comment\n! close -1", "stat . @st:stat : print @st.st_mtim.tv_nsec",
               "fcntl 3 F_SETLK flock{l_type=F_WRLCK,l_len=10}", "utimensat AT_FDCWD f {{1,2},{3,4}} 0",
               "writev 1 {{a,1},{\"b\",1}} 2 : hex @b 3", "mkstemp @t:=\"x.XXXXXX\" : print @t",
               "t=time @n:time_t : set @n 5 : nanosleep @p:timespec[2]{{1,2},{3,4}} NULL",
               "execvp echo {echo,a=b} : printf \"%d %f\" 1 2.5", "'int(const char *, ...)' printf '\"a b\"' &puts",
               "int(const char *, unsigned long long, void (*)(int), struct stat[2], ...)", "scandir . @l:pointer NULL &alphasort"});
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view all = Input(data, size).rest();
  parse_any_signature(all);
  try {
    check_script(parse_text(all));
    check_script(parse_words({std::string(all)}));
  } catch (const ScriptError& error) {
    require(*error.what() != '\0', "an error says something");
  }
  return 0;
}
