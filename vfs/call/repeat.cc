#include <errno.h>
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cas/error.h"
#include "vfs/call/runner.h"
#include "vfs/call/show.h"

namespace vfs::call {
namespace {

double nanoseconds() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// To ask for the time takes as long as a short call: it is asked before and after many.
uint64_t batch_of(uint64_t times) {
  constexpr uint64_t kBatches = 1000;
  return std::max<uint64_t>(1, times / kBatches);
}

struct Times {
  std::vector<double> each;  // nanoseconds for one call, of every batch
  uint64_t failures = 0;     // of batches: how their last call ended
};

void measure(const Prepared& call, const Step& step, uint64_t times, Times& taken) {
  const uint64_t batch = batch_of(times);
  Slot result = {};
  for (uint64_t done = 0; done < times;) {
    const uint64_t now = std::min(batch, times - done);
    errno = 0;
    const double start = nanoseconds();
    for (uint64_t i = 0; i < now; ++i) invoke(call, result);
    const double end = nanoseconds();
    int error = errno;
    narrow(call.interface->result, result);
    if (has_failed(step.call.function, step.function.signature.result, result, error)) ++taken.failures;
    taken.each.push_back((end - start) / static_cast<double>(now));
    done += now;
  }
}

}  // namespace

bool Runner::repeat(const std::vector<Step>& steps, uint64_t times) {
  const std::vector<Step> before(steps.begin(), steps.end() - 1);
  if (!run(before)) return false;
  const Step& last = steps.back();
  if (last.function.name.empty()) throw ScriptError("--repeat: " + last.call.function + " calls nothing");
  Evaluator evaluator(knowledge_, variables_, arena_, Evaluator::Phase::run);
  Prepared call;
  try {
    call = prepare(last, evaluator);
  } catch (const ScriptError& error) {
    throw Error(last.call.function, error.what());
  }
  Times taken;
  Guard guard;
  const Crash crash = guard.run([&] { measure(call, last, times, taken); });
  if (crash.signal != 0) end_after(crash, last.call.function);
  std::sort(taken.each.begin(), taken.each.end());
  const double median = taken.each[taken.each.size() / 2];
  if (rules_.json) {
    fmt::print("{}\n", nlohmann::json{{"function", last.call.function}, {"calls", times},
                                      {"minimum_ns", taken.each.front()}, {"median_ns", median},
                                      {"maximum_ns", taken.each.back()}, {"failures", taken.failures}}.dump());
  } else {
    fmt::print("{}: {} calls, ns per call: min {:.1f}, median {:.1f}, max {:.1f}\n", last.call.function, times,
               taken.each.front(), median, taken.each.back());
  }
  const bool should_fail = last.call.expected == Call::Expected::failure;
  if (!should_fail && taken.failures != 0) fmt::print(stderr, "vfs: {}: some of the calls failed\n", last.call.function);
  return should_fail || taken.failures == 0;
}

}  // namespace vfs::call
