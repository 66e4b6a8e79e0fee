#pragma once
// Golden chats replayed with the octets on the wire cut in every place, and with the connection
// gone in every place. First an octet at a time, with what was said and what was done noted after
// each: that is what every other way to cut the same octets is held to.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/connections.hh"

namespace kurir::test {

inline constexpr std::size_t never = std::string::npos;

// How the octets go.
struct Wire {
  std::size_t octets_at_once = never;  // of the clients'; each time the server has its say
  std::size_t cut_at = never;          // the clients' octets before it are dealt with first
  std::size_t fin_after = never;       // of the clients' octets: all connections end
  std::size_t reset_after = never;     // of the server's on the first connection
};

struct Moment {
  std::vector<std::string> said;  // on each connection, all until now
  std::string state;              // of what the server keeps
  friend bool operator==(const Moment&, const Moment&) = default;
};

struct Replayed {
  std::vector<Moment> moments;  // after so many octets of the clients', where they were noted
  Moment last;
  std::size_t octets = 0;  // of the clients'
  bool as_written = true;
};

// What a room's test gives: how to begin anew, and what the server keeps.
template <class House>
struct Stage {
  std::function<Task<void>(House&)> begin;
  std::function<Task<std::string>(House&)> state;
};

template <class House>
class Replay {
 public:
  Replay(House& house, const Stage<House>& stage, const std::vector<ChatLine>& chat, Wire wire)
      : house_(house), stage_(stage), chat_(chat), wire_(wire) {}

  Task<Replayed> run(bool notes_moments) {
    notes_moments_ = notes_moments;
    co_await stage_.begin(house_);
    std::string segment;
    for (const ChatLine& line : chat_) {
      if (gone_ || !replayed_.as_written) break;
      if (!line.from_client) {
        co_await hear(line);
        continue;
      }
      segment += line.text + "\r\n";
      if (line.held_back) continue;
      co_await feed(line.connection, std::exchange(segment, {}));
    }
    co_await end();
    co_return std::move(replayed_);
  }

 private:
  using Connection = typename House::Connection;

  Connection& connection(std::size_t index) {
    while (house_.connections() <= index) {
      const bool is_first = house_.connections() == 0;
      Connection& made = house_.connect();
      if (is_first && wire_.reset_after != never) made.stream.end_after_sent(wire_.reset_after);
      heard_.emplace_back();
    }
    return house_.connection(index);
  }

  Task<void> note() {
    Moment moment = co_await now();
    replayed_.moments.push_back(std::move(moment));
  }
  Task<Moment> now() {
    Moment moment;
    for (std::size_t index = 0; index < house_.connections(); ++index)
      moment.said.push_back(heard_[index] + house_.connection(index).stream.sent());
    moment.state = co_await stage_.state(house_);
    co_return moment;
  }

  std::size_t octets_next(std::size_t left) const {
    std::size_t octets = std::min(left, wire_.octets_at_once);
    for (const std::size_t stop : {wire_.cut_at, wire_.fin_after})
      if (stop != never && replayed_.octets < stop)
        octets = std::min(octets, stop - replayed_.octets);
    return octets;
  }

  Task<void> feed(std::size_t index, std::string segment) {
    Connection& to = connection(index);
    if (replayed_.octets == 0 && notes_moments_) co_await note();
    for (std::size_t at = 0; at < segment.size() && !gone_;) {
      if (replayed_.octets == wire_.fin_after) {
        gone_ = true;
        co_return;
      }
      const std::size_t octets = octets_next(segment.size() - at);
      to.stream.feed(std::string_view(segment).substr(at, octets));
      at += octets;
      replayed_.octets += octets;
      const bool is_cut = at < segment.size() || wire_.octets_at_once != never;
      if (is_cut || replayed_.octets == wire_.fin_after) co_await House::settle(to);
      if (notes_moments_) co_await note();
    }
  }

  // A session that is gone, or waits for more, says nothing more; but for what others do (IDLE).
  Task<void> hear(const ChatLine& line) {
    Connection& from = connection(line.connection);
    const Deadline deadline = deadline_in(Seconds(10));
    const bool must_end = line.text == "<closes>";
    while (must_end ? !from.ended.is_set() : from.stream.sent().find("\r\n") == never) {
      if (from.ended.is_set() || Executor::current().now() >= deadline) break;
      co_await yield_turn();
    }
    if (wire_.reset_after != never && from.ended.is_set() && !must_end &&
        from.stream.sent().find("\r\n") == never) {
      gone_ = true;
      co_return;
    }
    if (must_end) {
      replayed_.as_written = from.ended.is_set() && from.stream.sent().empty();
      co_return;
    }
    const std::string said = co_await from.stream.take_line(deadline_in(Nanoseconds(0)));
    if (said != FakeStream::nothing_came) heard_[line.connection] += said + "\r\n";
    replayed_.as_written = matches(line.text, said);
    if (replayed_.as_written) co_return;
    ADD_FAILURE() << "line " << line.number << "\n  expected: " << line.text
                  << "\n  was said: " << said;
  }

  Task<void> end() {
    for (std::size_t index = 0; index < house_.connections(); ++index)
      house_.connection(index).stream.hang_up();
    for (std::size_t index = 0; index < house_.connections(); ++index) {
      const Woken woken = co_await house_.connection(index).ended.wait(deadline_in(Seconds(10)));
      EXPECT_EQ(woken, Woken::by_signal) << "the session outlives its connection";
    }
    replayed_.last = co_await now();
    co_await house_.end_all();
  }

  House& house_;
  const Stage<House>& stage_;
  const std::vector<ChatLine>& chat_;
  const Wire wire_;
  Replayed replayed_;
  std::vector<std::string> heard_;  // taken, by connection
  bool notes_moments_ = false, gone_ = false;
};

// --- what is checked

// Every place of a short text; of a long one the same number of them, spread, and both sides of
// each line end among them as long as there is room.
inline std::vector<std::size_t> places_of(std::size_t octets, std::size_t places_max) {
  const std::size_t stride = octets / places_max + 1;
  std::vector<std::size_t> places;
  for (std::size_t place = 0; place <= octets; place += stride) places.push_back(place);
  return places;
}

// Ids (UIDVALIDITY is one) and moments are others each time, and as long.
inline std::string without_ids(const std::string& text) {
  static const std::regex ids(
      "queued as [^\r]*|1[0-9]{9}|[ 0-3][0-9]-[A-Z][a-z]{2}-[0-9]{4}( [0-9:]{8} [-+][0-9]{4})?");
  return std::regex_replace(text, ids, "...");
}
inline Moment without_ids(Moment moment) {
  for (std::string& said : moment.said) said = without_ids(said);
  return moment;
}

struct ReplayBounds {
  std::size_t places_max = 100;
  bool cut_is_told = false;  // a client that does not wait for replies is told so, or is not
};

template <class House>
Task<void> holds_however_it_is_cut(House& house, const Stage<House>& stage,
                                   const std::vector<ChatLine>& chat, Moment whole,
                                   std::size_t octets, ReplayBounds bounds) {
  for (const std::size_t place : places_of(octets, bounds.places_max)) {
    SCOPED_TRACE(testing::Message() << "cut at octet " << place << " of " << octets);
    Replay<House> replay(house, stage, chat, {.cut_at = place});
    const Replayed cut = co_await replay.run(false);
    EXPECT_TRUE(cut.as_written);
    EXPECT_EQ(without_ids(cut.last).said, whole.said);
    EXPECT_EQ(cut.last.state, whole.state);
    if (testing::Test::HasFailure()) co_return;
  }
}

// The octets that came were dealt with as if more were to come, and nothing else was done.
template <class House>
Task<void> holds_where_clients_end(House& house, const Stage<House>& stage,
                                   const std::vector<ChatLine>& chat,
                                   const std::vector<Moment>& moments, ReplayBounds bounds) {
  for (const std::size_t place : places_of(moments.size() - 1, bounds.places_max)) {
    SCOPED_TRACE(testing::Message() << "the clients are gone after octet " << place);
    Replay<House> replay(house, stage, chat, {.octets_at_once = 1, .fin_after = place});
    const Replayed ended = co_await replay.run(false);
    EXPECT_TRUE(ended.as_written);
    const Moment then = without_ids(moments[place]), last = without_ids(ended.last);
    EXPECT_EQ(last.state, then.state);
    for (std::size_t index = 0; index < std::min(last.said.size(), then.said.size()); ++index)
      EXPECT_TRUE(last.said[index].starts_with(then.said[index]))
          << last.said[index] << "\nbut before: " << then.said[index];
    if (testing::Test::HasFailure()) co_return;
  }
}

// What the client heard was done; what was done beyond that it would have been told next.
template <class House>
Task<void> holds_where_replies_are_lost(House& house, const Stage<House>& stage,
                                        const std::vector<ChatLine>& chat,
                                        const std::vector<Moment>& moments, ReplayBounds bounds) {
  const std::string all = moments.back().said.front();
  for (const std::size_t place : places_of(all.size(), bounds.places_max)) {
    SCOPED_TRACE(testing::Message()
                 << "the connection is gone after octet " << place << " of the server's");
    Replay<House> replay(house, stage, chat, {.octets_at_once = 1, .reset_after = place});
    const Replayed lost = co_await replay.run(false);
    const std::string heard = lost.last.said.empty() ? "" : lost.last.said.front();
    EXPECT_LE(heard.size(), place);
    const bool was_so = std::ranges::any_of(moments, [&](const Moment& moment) {
      return moment.said.front().size() >= heard.size() && moment.state == lost.last.state;
    });
    EXPECT_TRUE(was_so) << "heard: " << heard << "\nstate: " << lost.last.state;
    if (testing::Test::HasFailure()) co_return;
  }
}

template <class House>
Task<void> replay_in_all_ways(House& house, Stage<House> stage, std::vector<ChatLine> chat,
                              ReplayBounds bounds) {
  Replay<House> plain(house, stage, chat, {});
  const Replayed whole = co_await plain.run(false);
  EXPECT_TRUE(whole.as_written);
  std::vector<Moment> moments;
  if (!bounds.cut_is_told) {
    Replay<House> slow(house, stage, chat, {.octets_at_once = 1});
    const Replayed octets = co_await slow.run(true);
    EXPECT_TRUE(octets.as_written);
    EXPECT_EQ(without_ids(octets.last).said, without_ids(whole.last).said);
    EXPECT_EQ(octets.last.state, whole.last.state);
    moments = octets.moments;
  }
  if (moments.empty() || testing::Test::HasFailure()) co_return;
  co_await holds_however_it_is_cut(house, stage, chat, without_ids(whole.last), whole.octets,
                                   bounds);
  if (testing::Test::HasFailure()) co_return;
  co_await holds_where_clients_end(house, stage, chat, moments, bounds);
  if (testing::Test::HasFailure()) co_return;
  co_await holds_where_replies_are_lost(house, stage, chat, moments, bounds);
}

// Transcripts of a folder of tests/golden, by name.
inline std::vector<std::string> transcripts(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& file :
       std::filesystem::directory_iterator(std::string(KURIR_GOLDEN) + "/" + folder))
    names.push_back(file.path().stem());
  std::ranges::sort(names);
  return names;
}

}  // namespace kurir::test
