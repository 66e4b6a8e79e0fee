#pragma once
// Feeds a parser one input in every way in which a network can bring it. A parser case is right
// only if all of them agree.
//
//   feed_all_ways(input, parse, check)   a parser of prefixes: string_view -> Parsed<T, F>. Whole,
//                                        and as growing prefixes octet by octet, each in a buffer
//                                        of its own size against a guard page.
//   feed_guarded(input, parse, check)    a parser that is given the whole of its input: against the
//                                        guard page behind it and the one before it.
//   feed_slices(input, run)              a state machine over received slices: whole, octet by
//                                        octet, and split at each point; run(slices) does one pass.
//
// check(result) and run(slices) hold the EXPECTs, and are called while the octets are still there,
// so that views in a result may be compared.

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/guard_page.hh"

namespace kurir::test {

struct FeedOptions {
  // What a pipelining peer sends right behind: must change neither the match nor what it consumed.
  // Only for parsers of things that end by themselves (a line, not a number).
  std::string_view followed_by = {};
};

// Every cut of 0..size for short inputs; for long ones both ends, powers of two and a coarse comb.
inline std::vector<std::size_t> cuts_of(std::size_t size) {
  constexpr std::size_t dense = 600;
  std::vector<std::size_t> cuts;
  const std::size_t stride = size / 251 + 1;
  for (std::size_t cut = 0; cut <= size; ++cut) {
    const bool near_an_end = cut < dense || size - cut < dense / 4;
    const bool near_power = ((cut + 1) & cut) == 0 || (cut & (cut - 1)) == 0;
    if (near_an_end || near_power || cut % stride == 0) cuts.push_back(cut);
  }
  return cuts;
}

// A prefix that is decided must be decided as the whole is; nothing may be incomplete when the
// whole is not, or be decided and then change.
template <class Parse, class Check>
void feed_all_ways(std::string_view input, Parse parse, Check check, FeedOptions options = {}) {
  GuardedBuffer buffer(input.size() + options.followed_by.size());
  bool decided = false;
  for (const std::size_t cut : cuts_of(input.size())) {
    SCOPED_TRACE(::testing::Message() << "prefix of " << cut << " of " << input.size());
    const auto result = parse(buffer.place_at_end(input.substr(0, cut)));
    const bool now_decided = !result.is_incomplete();
    EXPECT_TRUE(now_decided || !decided) << "decided on a shorter prefix, now incomplete";
    decided = decided || now_decided;
    if (result.is_match()) EXPECT_LE(result.consumed(), cut);
    if (now_decided || cut == input.size()) check(result);
    if (::testing::Test::HasFailure()) return;  // one broken way is enough to read
  }
  const auto whole = parse(buffer.place_at_start(input));
  check(whole);
  if (options.followed_by.empty() || !whole.is_match()) return;
  SCOPED_TRACE("followed by more");
  const std::size_t consumed = whole.consumed();
  const std::string more = std::string(input).append(options.followed_by);
  const auto followed = parse(buffer.place_at_end(more));
  check(followed);
  ASSERT_TRUE(followed.is_match());
  EXPECT_EQ(followed.consumed(), consumed);
}

template <class Parse, class Check>
void feed_guarded(std::string_view input, Parse parse, Check check) {
  GuardedBuffer buffer(input.size());
  {
    SCOPED_TRACE("guard page behind");
    check(parse(buffer.place_at_end(input)));
  }
  SCOPED_TRACE("guard page before");
  check(parse(buffer.place_at_start(input)));
}

// Each slice lies in a mapping of its own, so that a machine cannot peek from one into the next,
// nor keep a view of one that was given back.
template <class Run>
void feed_slices(std::string_view input, Run run) {
  const std::vector<std::size_t> cuts = cuts_of(input.size());
  GuardedBuffer first(input.size());
  GuardedBuffer second(input.size());
  for (const std::size_t cut : cuts) {
    SCOPED_TRACE(::testing::Message() << "split at " << cut << " of " << input.size());
    const std::string_view slices[] = {first.place_at_end(input.substr(0, cut)),
                                       second.place_at_end(input.substr(cut))};
    run(std::span<const std::string_view>(slices));
    if (::testing::Test::HasFailure()) return;
  }
  SCOPED_TRACE("octet by octet");
  constexpr std::size_t pages_max = 4096;  // mappings are dear: beyond, octets share one buffer
  std::vector<std::unique_ptr<GuardedBuffer>> buffers;
  std::vector<std::string_view> octets;
  const std::string_view shared = first.place_at_end(input);
  for (std::size_t i = 0; i < input.size(); ++i) {
    if (i >= pages_max) {
      octets.push_back(shared.substr(i, 1));
      continue;
    }
    buffers.push_back(std::make_unique<GuardedBuffer>(1));
    octets.push_back(buffers.back()->place_at_end(input.substr(i, 1)));
  }
  run(std::span<const std::string_view>(octets));
}

}  // namespace kurir::test
