#pragma once
// What the IMAP parser tests share.

#include <gtest/gtest.h>

#include <string>

#include "kurir/wire/imap_command.hh"
#include "support/feed_all_ways.hh"

namespace kurir::wire {

// The action of a command that must parse, whole and only whole; line has no CR LF at its end.
// Views in it hold until the next call.
template <class Action>
Action parsed(const std::string& line) {
  static std::string kept;
  kept = line + "\r\n";
  test::feed_all_ways(kept, parse_imap_command,
                      [](const auto& command) {
                        const std::string_view why = command.is_fault()
                                                         ? imap_syntax_text(command.fault().syntax)
                                                         : "incomplete";
                        ASSERT_TRUE(command.is_match()) << kept << ": " << why;
                        EXPECT_EQ(command.consumed(), kept.size());
                        EXPECT_TRUE(std::holds_alternative<Action>(command.value().action)) << kept;
                      },
                      {.followed_by = "b NOOP\r\n"});
  auto command = parse_imap_command(kept);
  if (::testing::Test::HasFailure()) return {};
  return std::get<Action>(std::move(command.value().action));
}

}  // namespace kurir::wire
