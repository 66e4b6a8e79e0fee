// Crash states: segment files as a power cut or a damaged disk would leave them, made from real
// ones. What was committed must be shown, unaltered; damage must be reported; what was not
// committed may be missing from the end on.

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "support.hh"

namespace kurir::store {
namespace {

using test::Notes;
using test::numbered;
using test::Remembers;
using test::small_log;

struct Image {
  std::string octets;  // of segment 1
  std::vector<test::SeenRecord> records;
  std::size_t used = 0;  // octets up to the end of the last record, the final mark included
};

Task<void> commits_of_several(Log& log, Notes&) {
  std::size_t number = 0;
  for (const std::size_t records : {1U, 3U, 2U, 1U, 4U}) {
    Result<RecordRef> last = fail(Errc::invalid, Origin::log);
    for (std::size_t index = 0; index < records; ++index, ++number)
      last = log.append(record_type::message, numbered(number, 20 + number * 53));
    const Result<void> committed = co_await log.commit(*last);
    EXPECT_TRUE(committed.has_value());
  }
}

class CrashStates : public ::testing::Test {
 protected:
  CrashStates() {
    Notes notes;
    test::with_log(small_log(directory.path()), notes, &commits_of_several);
    image.octets = test::read_octets(segment_path(1));
    image.records = test::reopen(small_log(directory.path())).records;
    EXPECT_EQ(image.records.size(), 11U);
    const RecordRef& last = image.records.back().ref;
    image.used = last.offset + padded(last.octets) + padded(record_octets(sizeof(MarkPayload)));
  }
  std::string segment_path(std::uint32_t number) const {
    return directory.path() + "/" + segment_name(StreamKind::spool, number);
  }
  void leave_only(const std::string& octets) const {
    for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
      std::filesystem::remove(entry.path());
    test::write_octets(segment_path(1), octets);
  }

  // Opens each state that make(index) gives, on one core, and lets check() judge what was shown.
  using Make = std::function<std::string(std::size_t)>;
  using Check = std::function<void(std::size_t, const Remembers&)>;
  void for_each_state(std::size_t count, const Make& make, const Check& check) {
    kurir::test::on_cores(1, [&](CoreIndex) { return open_each(*this, count, make, check); });
  }
  static Task<void> open_each(const CrashStates& states, std::size_t count, const Make& make,
                              const Check& check) {
    for (std::size_t index = 0; index < count && !HasFailure(); ++index) {
      states.leave_only(make(index));
      Remembers seen;
      Notes notes;
      co_await test::run_log(small_log(states.directory.path()), seen, notes, &test::do_nothing);
      check(index, seen);
    }
  }

  // Whatever is shown is what was written there; in order.
  void expect_nothing_altered(const Remembers& seen, std::size_t state) const {
    std::size_t place = 0;
    for (const test::SeenRecord& record : seen.records) {
      while (place < image.records.size() && !(image.records[place].ref == record.ref)) ++place;
      ASSERT_LT(place, image.records.size()) << "invented, in state " << state;
      ASSERT_EQ(image.records[place].payload, record.payload) << "altered, in state " << state;
      ASSERT_EQ(image.records[place].sequence, record.sequence);
      ++place;
    }
  }
  std::size_t whole_records_in(std::size_t octets) const {
    std::size_t count = 0;
    for (const test::SeenRecord& record : image.records)
      if (record.ref.offset + record.ref.octets <= octets) ++count;
    return count;
  }

  test::TemporaryDirectory directory{true};
  Image image;
};

TEST_F(CrashStates, every_prefix_over_zeros_shows_its_whole_records) {
  const Make make = [&](std::size_t octets) {
    std::string state(image.octets.size(), '\0');
    return state.replace(0, block_octets + octets, image.octets, 0, block_octets + octets);
  };
  for_each_state(
      image.used - block_octets + 1, make, [&](std::size_t octets, const Remembers& seen) {
        expect_nothing_altered(seen, octets);
        EXPECT_EQ(seen.records.size(), whole_records_in(block_octets + octets)) << octets;
        EXPECT_TRUE(seen.corrupt.empty()) << octets;
      });
}

TEST_F(CrashStates, a_first_commit_without_its_header_block_counts_for_nothing_or_all) {
  const Make make = [&](std::size_t sector) {
    std::string state(image.octets.size(), '\0');
    return state.replace(0, sector * 512, image.octets, 0, sector * 512);
  };
  for_each_state(9, make, [&](std::size_t sector, const Remembers& seen) {
    EXPECT_TRUE(seen.records.empty()) << sector;
  });
}

// A recycled file: valid records of an earlier life lie where the new ones do not reach.
TEST_F(CrashStates, stale_records_of_a_recycled_segment_are_never_shown) {
  const std::uint64_t seed = record_seed(log_id(42, StreamKind::spool, ShardIndex(0)), 7);
  std::string stale(image.octets.size(), '\0');
  for (std::size_t offset = block_octets, sequence = 1; offset + 64 <= stale.size(); offset += 64)
    seal_record(std::span(stale).subspan(offset, 64), 16, 24, 7, sequence++, seed);
  const Make make = [&](std::size_t octets) {
    std::string state = stale;
    return state.replace(0, block_octets + octets, image.octets, 0, block_octets + octets);
  };
  for_each_state(
      image.used - block_octets + 1, make, [&](std::size_t octets, const Remembers& seen) {
        expect_nothing_altered(seen, octets);
        EXPECT_EQ(seen.records.size(), whole_records_in(block_octets + octets)) << octets;
        EXPECT_TRUE(seen.corrupt.empty()) << octets;
      });
}

// The last commit's sectors reach the disk in any order, or not: every subset of them.
TEST_F(CrashStates, any_subset_of_the_last_commits_sectors_keeps_the_commits_before) {
  const std::size_t last_commit =
      image.records[7].ref.offset - padded(record_octets(sizeof(MarkPayload)));
  const std::size_t last_end =
      image.records.back().ref.offset + padded(image.records.back().ref.octets);
  const std::size_t first_sector = last_commit / 512;
  const std::size_t sectors = (last_end - 1) / 512 - first_sector + 1;
  ASSERT_LE(sectors, 10U);
  const Make make = [&](std::size_t subset) {
    std::string state(image.octets.size(), '\0');
    state.replace(0, last_commit, image.octets, 0, last_commit);
    for (std::size_t sector = 0; sector < sectors; ++sector) {
      const std::size_t at = std::max((first_sector + sector) * 512, last_commit);
      const std::size_t end = std::min((first_sector + sector + 1) * 512, last_end);
      if ((subset >> sector & 1) != 0) state.replace(at, end - at, image.octets, at, end - at);
    }
    return state;
  };
  for_each_state(std::size_t{1} << sectors, make, [&](std::size_t subset, const Remembers& seen) {
    expect_nothing_altered(seen, subset);
    EXPECT_GE(seen.records.size(), 7U) << subset;
    for (std::size_t index = 0; index < seen.records.size(); ++index)
      EXPECT_EQ(seen.records[index].ref, image.records[index].ref) << "a gap, in state " << subset;
    EXPECT_TRUE(seen.corrupt.empty()) << subset;
  });
}

// Bit rot in what was committed costs at most the record it hits, and is reported.
TEST_F(CrashStates, a_flipped_bit_anywhere_costs_one_record_at_most) {
  std::vector<std::size_t> octets;  // all but most of the header block's zeros
  for (std::size_t octet = 0; octet < image.used; ++octet)
    if (octet >= block_octets || octet % second_header_at < 100 || octet % 64 == 0)
      octets.push_back(octet);
  const Make make = [&](std::size_t index) {
    const std::size_t octet = octets[index];
    std::string state = image.octets;
    state[octet] = static_cast<char>(state[octet] ^ (1 << (octet % 8)));
    return state;
  };
  const std::size_t final_mark = image.used - padded(record_octets(sizeof(MarkPayload)));
  for_each_state(octets.size(), make, [&](std::size_t index, const Remembers& seen) {
    const std::size_t octet = octets[index];
    expect_nothing_altered(seen, octet);
    EXPECT_GE(seen.records.size() + 1, image.records.size()) << octet;
    const bool lost = seen.records.size() < image.records.size();
    if (lost) EXPECT_EQ(seen.corrupt.size(), 1U) << octet;
    for (const RecordRef& where : seen.corrupt) {
      EXPECT_LE(where.offset, octet);
      EXPECT_GT(where.offset + where.octets, octet);
      EXPECT_LE(where.offset + where.octets, final_mark);
    }
  });
}

TEST_F(CrashStates, several_damaged_records_are_each_reported) {
  const Make make = [&](std::size_t second) {
    std::string state = image.octets;
    for (const std::size_t index : {std::size_t{2}, second}) {
      const RecordRef& ref = image.records[index].ref;
      state.replace(ref.offset, ref.octets, ref.octets, '\xee');
    }
    return state;
  };
  for_each_state(image.records.size(), make, [&](std::size_t second, const Remembers& seen) {
    expect_nothing_altered(seen, second);
    EXPECT_EQ(seen.records.size(), image.records.size() - (second == 2 ? 1 : 2)) << second;
    EXPECT_GE(seen.corrupt.size(), 1U) << second;
  });
}

TEST_F(CrashStates, a_lost_header_block_is_reported_and_the_records_are_kept) {
  const Make make = [&](std::size_t) {
    std::string state = image.octets;
    return state.replace(0, block_octets, block_octets, '\x55');
  };
  for_each_state(1, make, [&](std::size_t, const Remembers& seen) {
    expect_nothing_altered(seen, 0);
    EXPECT_EQ(seen.records.size(), image.records.size());
    ASSERT_EQ(seen.corrupt.size(), 1U);
    EXPECT_EQ(seen.corrupt[0].offset, 0U);
  });
}

TEST_F(CrashStates, a_cut_file_shows_what_is_left) {
  const Make make = [&](std::size_t octets) { return image.octets.substr(0, octets * 97); };
  for_each_state(image.used / 97, make, [&](std::size_t octets, const Remembers& seen) {
    expect_nothing_altered(seen, octets);
    EXPECT_EQ(seen.records.size(), whole_records_in(octets * 97)) << octets;
  });
}

TEST_F(CrashStates, a_segment_of_another_store_is_refused) {
  LogOptions other = small_log(directory.path());
  other.instance = 43;
  leave_only(image.octets);
  kurir::test::on_cores(1, [&](CoreIndex) {
    return [](LogOptions given) -> Task<void> {
      Remembers seen;
      const Result<std::unique_ptr<Log>> log = co_await Log::open(given, seen);
      EXPECT_FALSE(log.has_value());
      if (!log) EXPECT_EQ(log.error().code, Errc::invalid);
    }(other);
  });
}

}  // namespace
}  // namespace kurir::store
