#include "kurir/store/reader.hh"

#include <gtest/gtest.h>

#include <filesystem>

#include "kurir/io/mesh.hh"
#include "kurir/store/data_directory.hh"
#include "kurir/store/message_record.hh"
#include "support.hh"

namespace kurir::store {
namespace {

using test::Notes;
using test::numbered;
using test::Remembers;
using test::small_log;

class Readers : public ::testing::Test {
 protected:
  Readers() {
    options =
        small_log(directory.path() + "/" + shard_directory_name(ShardIndex(0)), StreamKind::spool);
    std::filesystem::create_directory(options.directory);
  }
  // Runs `body` with a reader on a core of its own while no log is open.
  using Body = Task<void> (*)(Reader& reader, Notes& notes);
  void with_reader(Body body, std::size_t files_max = 64) {
    kurir::test::on_cores(1, [&](CoreIndex) {
      return [](std::string path, Notes& given, Body work, std::size_t files) -> Task<void> {
        Reader reader(std::move(path), 42, files);
        co_await work(reader, given);
      }(directory.path(), notes, body, files_max);
    });
  }
  std::string segment_path(std::uint32_t number) const {
    return options.directory + "/" + segment_name(StreamKind::spool, number);
  }
  void damage(const RecordRef& ref, std::size_t at) const {
    std::string octets = test::read_octets(segment_path(ref.segment));
    octets[ref.offset + at] = static_cast<char>(octets[ref.offset + at] ^ 1);
    test::write_octets(segment_path(ref.segment), octets);
  }
  test::TemporaryDirectory directory;
  LogOptions options;
  Notes notes;
};

Task<void> write_many(Log& log, Notes& notes) {
  for (std::size_t number = 0; number < 40; ++number) notes.texts.push_back(numbered(number, 5000));
  co_await test::append_and_commit(log, notes.texts, notes);
}

Task<void> read_all(Reader& reader, Notes& notes) {
  for (std::size_t index = 0; index < notes.refs.size(); ++index) {
    const Result<Record> record = co_await reader.read(notes.refs[index]);
    EXPECT_TRUE(record.has_value());
    if (!record) co_return;
    EXPECT_EQ(record->payload(), notes.texts[index]);
    EXPECT_EQ(record->type(), record_type::message);
  }
  EXPECT_LE(reader.files_open(), 2U);
}

TEST_F(Readers, every_record_reads_back_with_few_files_open) {
  test::with_log(options, notes, &write_many);
  with_reader(&read_all, 2);
}

Task<void> read_ranges(Reader& reader, Notes& notes) {
  for (const std::size_t offset : {0U, 1U, 4999U, 5000U, 9999U}) {
    std::string into(1000, '?');
    const Result<std::size_t> count = co_await reader.read_range(notes.refs[3], offset, into);
    EXPECT_TRUE(count.has_value());
    if (!count) co_return;
    const std::string expected =
        offset < notes.texts[3].size() ? notes.texts[3].substr(offset, 1000) : "";
    EXPECT_EQ(into.substr(0, *count), expected);
  }
}

TEST_F(Readers, ranges_end_with_the_record) {
  test::with_log(options, notes, &write_many);
  with_reader(&read_ranges);
}

Task<void> read_damaged(Reader& reader, Notes& notes) {
  const Result<Record> damaged = co_await reader.read(notes.refs[5]);
  EXPECT_EQ(test::code_of(damaged), Errc::corrupt);
  const Result<Record> next = co_await reader.read(notes.refs[6]);
  EXPECT_TRUE(next.has_value());
}

TEST_F(Readers, damage_anywhere_in_a_record_is_corrupt) {
  test::with_log(options, notes, &write_many);
  for (const std::size_t at : {0U, 8U, 12U, 16U, 20U, 24U, 32U, 5031U}) {
    damage(notes.refs[5], at);
    with_reader(&read_damaged);
    damage(notes.refs[5], at);
  }
}

Task<void> read_wrong_references(Reader& reader, Notes& notes) {
  const RecordRef good = notes.refs[5];
  RecordRef longer = good;
  longer.octets += 8;
  RecordRef shifted = good;
  shifted.offset += 8;
  RecordRef beyond = good;
  beyond.offset = 10'000'000;
  RecordRef huge = good;
  huge.octets = 0xffffffff;
  for (const RecordRef& ref : {longer, shifted, beyond, huge, RecordRef{}}) {
    const Result<Record> record = co_await reader.read(ref);
    EXPECT_EQ(test::code_of(record), Errc::corrupt);
    std::string into(10, '?');
    const Result<std::size_t> count = co_await reader.read_range(ref, 0, into);
    EXPECT_EQ(test::code_of(count), Errc::corrupt);
  }
  RecordRef gone = good;
  gone.segment = 999;
  const Result<Record> record = co_await reader.read(gone);
  EXPECT_EQ(test::code_of(record), Errc::not_found);
}

TEST_F(Readers, references_to_nothing_are_refused) {
  test::with_log(options, notes, &write_many);
  with_reader(&read_wrong_references);
}

// The reader keeps a file open whose segment is recycled under it.
Task<void> recycle_under_a_reader(Log& log, Notes& notes) {
  const std::string shard = log.options().directory;
  Reader reader(shard.substr(0, shard.find_last_of('/')), 42);
  log.begin_reclaiming();
  co_await test::append_and_commit(log, {numbered(0, 5000)}, notes);
  const Result<Record> alive = co_await reader.read(notes.refs[0]);
  EXPECT_TRUE(alive.has_value());
  while (log.statistics().segments_opened < 12) {
    const std::size_t index = notes.refs.size();
    co_await test::append_and_commit(log, {numbered(index, 8000)}, notes);
    log.release(notes.refs[index - 1]);
  }
  const Result<Record> stale = co_await reader.read(notes.refs[0]);
  EXPECT_EQ(test::code_of(stale), Errc::not_found);
  std::string into(10, '?');
  const Result<std::size_t> range = co_await reader.read_range(notes.refs[0], 0, into);
  EXPECT_EQ(test::code_of(range), Errc::not_found);
  const Result<Record> newest = co_await reader.read(notes.refs.back());
  EXPECT_TRUE(newest.has_value());
}

TEST_F(Readers, a_recycled_segment_is_recognised) {
  test::with_log(options, notes, &recycle_under_a_reader);
}

// --- messages

Task<void> write_messages(Log& log, Notes& notes) {
  notes.texts = {numbered(0, 20'000), numbered(1, 20'001), numbered(2, 17), ""};
  std::string content;
  MessageEnvelope envelope;
  for (const std::size_t index : {0U, 1U}) {
    const Result<void> roomy = co_await log.room(notes.texts[index].size(), no_deadline);
    EXPECT_TRUE(roomy.has_value());
    const Result<RecordRef> extent = log.append(record_type::content_extent, notes.texts[index]);
    EXPECT_TRUE(extent.has_value());
    if (!extent) co_return;
    envelope.extents.push_back(*extent);
    content += notes.texts[index];
  }
  envelope.reverse_path = "a@example.test";
  envelope.content_octets = content.size() + 17;
  const std::string head = encode_message(envelope, 17);
  const Result<RecordRef> large = log.append(record_type::message, {head, notes.texts[2]});
  MessageEnvelope plain;
  plain.content_octets = 17;
  const std::string plain_head = encode_message(plain, 17);
  const Result<RecordRef> small = log.append(record_type::message, {plain_head, notes.texts[2]});
  notes.refs = {*large, *small, envelope.extents[0], envelope.extents[1]};
  const Result<void> committed = co_await log.commit(notes.refs);
  EXPECT_TRUE(committed.has_value());
  notes.texts[3] = content + notes.texts[2];
}

Task<void> read_messages(Reader& reader, Notes& notes) {
  Result<MessageContent> small = co_await MessageContent::open(reader, notes.refs[1]);
  EXPECT_TRUE(small.has_value());
  if (!small) co_return;
  EXPECT_EQ(small->whole(), notes.texts[2]);
  Result<MessageContent> large = co_await MessageContent::open(reader, notes.refs[0]);
  EXPECT_TRUE(large.has_value());
  if (!large) co_return;
  MessageContent moved = std::move(*large);
  const std::string& content = notes.texts[3];
  EXPECT_EQ(moved.size(), content.size());
  EXPECT_EQ(moved.envelope().reverse_path, "a@example.test");
  EXPECT_TRUE(moved.whole().empty());
  const std::size_t size = content.size();
  for (const std::size_t offset : {std::size_t{0}, std::size_t{19'999}, std::size_t{20'000},
                                   std::size_t{40'000}, size - 17, size - 1, size, size + 5}) {
    for (const std::size_t count : {1U, 2U, 18U, 50'000U}) {
      std::string into(count, '?');
      const Result<std::size_t> read = co_await moved.read(offset, into);
      EXPECT_TRUE(read.has_value());
      if (!read) co_return;
      const std::string expected = offset < size ? content.substr(offset, count) : "";
      EXPECT_TRUE(into.substr(0, *read) == expected) << offset << " " << count;
    }
  }
  const Result<MessageContent> no_message = co_await MessageContent::open(reader, notes.refs[2]);
  EXPECT_EQ(no_message.error().code, Errc::corrupt);
}

TEST_F(Readers, content_reads_across_extents_and_tail) {
  test::with_log(options, notes, &write_messages);
  with_reader(&read_messages);
}

Task<void> read_a_damaged_extent(Reader& reader, Notes& notes) {
  Result<MessageContent> message = co_await MessageContent::open(reader, notes.refs[0]);
  EXPECT_TRUE(message.has_value());
  if (!message) co_return;
  std::string into(10, '?');
  const Result<std::size_t> sound = co_await message->read(0, into);
  EXPECT_TRUE(sound.has_value());
  const Result<std::size_t> damaged = co_await message->read(20'000, into);
  EXPECT_EQ(test::code_of(damaged), Errc::corrupt);
  // From now on nothing of it is promised.
  const Result<MessageContent> again = co_await MessageContent::open(reader, notes.refs[0]);
  EXPECT_EQ(test::code_of(again), Errc::corrupt);
}

TEST_F(Readers, a_damaged_extent_is_never_given_out) {
  test::with_log(options, notes, &write_messages);
  damage(notes.refs[3], 15'000);
  with_reader(&read_a_damaged_extent);
}

}  // namespace
}  // namespace kurir::store
