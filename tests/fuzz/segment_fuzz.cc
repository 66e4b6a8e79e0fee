// Recovery from segments as a damaged disk leaves them. The first octet chooses: octets of the
// fuzzer's as a segment; a real segment, or the journal of a checkpoint, changed in places. What
// is shown was written, unaltered, and before the segment's last mark each change costs at most
// the record that it hit.
#include <filesystem>

#include "input.hh"
#include "on_a_core.hh"
#include "store/support.hh"

namespace kurir::store {
namespace {

using test::Notes;
using test::Remembers;

struct Change {
  std::uint32_t place;
  unsigned bits;
};

// Files of one stream, and what they hold.
struct Image {
  StreamKind stream = StreamKind::spool;
  std::vector<std::pair<std::string, std::string>> files;  // name, octets
  std::vector<test::SeenRecord> records;
  std::size_t used = 0;  // of the first file, the final mark included
};

LogOptions options_for(const std::string& directory, StreamKind stream) {
  LogOptions options = test::small_log(directory, stream);
  options.durability = Durability::none;
  options.free_segments_max = 0;
  return options;
}

Task<void> fill(Log& log, Notes&) {
  std::size_t number = 0;
  for (const std::size_t records : {1U, 3U, 2U, 1U, 4U}) {
    Result<RecordRef> last = fail(Errc::invalid, Origin::log);
    for (std::size_t index = 0; index < records; ++index, ++number)
      last = log.append(record_type::message, test::numbered(number, 20 + number * 53));
    const Result<void> committed = co_await log.commit(*last);
    KURIR_ASSERT(committed.has_value());
  }
}

Task<void> fill_with_checkpoint(Log& log, Notes& notes) {
  co_await fill(log, notes);
  const Result<void> begun = co_await log.begin_checkpoint();
  KURIR_ASSERT(begun.has_value());
  co_await fill(log, notes);
  const Result<void> finished = co_await log.finish_checkpoint("end");
  KURIR_ASSERT(finished.has_value());
  co_await fill(log, notes);
}

class Deal {
 public:
  explicit Deal(std::string directory) : directory_(std::move(directory)) {}

  Task<void> prepare() {
    spool_ = co_await image_of(StreamKind::spool, &fill);
    journal_ = co_await image_of(StreamKind::journal, &fill_with_checkpoint);
  }

  Task<void> operator()(std::string_view input) {
    const unsigned choice = fuzz::take_octet(input) % 4;
    if (choice == 0) {
      co_await recover_octets(input);
    } else {
      co_await recover_changed(choice == 1 ? journal_ : spool_, input);
    }
  }

 private:
  void clear() const {
    for (const auto& entry : std::filesystem::directory_iterator(directory_))
      std::filesystem::remove(entry.path());
  }
  Task<Remembers> recovered(StreamKind stream) {
    Remembers seen;
    Notes notes;
    co_await test::run_log(options_for(directory_, stream), seen, notes, &test::do_nothing);
    co_return seen;
  }

  Task<Image> image_of(StreamKind stream, test::LogBody body) {
    clear();
    Image image;
    image.stream = stream;
    Remembers nothing;
    Notes notes;
    co_await test::run_log(options_for(directory_, stream), nothing, notes, body);
    for (const auto& entry : std::filesystem::directory_iterator(directory_))
      image.files.emplace_back(entry.path().filename(), test::read_octets(entry.path()));
    std::ranges::sort(image.files);
    const Remembers seen = co_await recovered(stream);
    image.records = seen.records;
    KURIR_ASSERT(image.records.size() >= 11);
    const RecordRef& last = image.records.back().ref;
    image.used = last.offset + padded(last.octets) + padded(record_octets(sizeof(MarkPayload)));
    co_return image;
  }

  // Nothing of it can verify.
  Task<void> recover_octets(std::string_view input) {
    clear();
    const bool with_header = (fuzz::take_octet(input) & 1) != 0;
    std::string octets = with_header ? spool_.files[0].second.substr(0, block_octets) : "";
    octets += input;
    if (with_header) octets.resize(64 * 1024);
    test::write_octets(directory_ + "/" + segment_name(StreamKind::spool, 1), octets);
    Remembers seen;
    const auto log = co_await Log::open(options_for(directory_, StreamKind::spool), seen);
    if (log) co_await (*log)->stop();
    KURIR_ASSERT(seen.records.empty());
  }

  Task<void> recover_changed(const Image& image, std::string_view input) {
    clear();
    auto files = image.files;
    const std::size_t which = fuzz::take_octet(input) % files.size();
    std::string& octets = files[which].second;
    std::vector<Change> changes;
    while (input.size() >= 3) {
      const auto place = static_cast<std::uint32_t>(fuzz::take_two(input) % image.used);
      const unsigned bits = fuzz::take_octet(input);
      octets[place] = static_cast<char>(static_cast<unsigned char>(octets[place]) ^ bits);
      if (bits != 0) changes.push_back({place, bits});
    }
    for (const auto& [name, content] : files) test::write_octets(directory_ + "/" + name, content);
    Remembers seen;
    const auto log = co_await Log::open(options_for(directory_, image.stream), seen);
    if (log) co_await (*log)->stop();
    expect_nothing_altered(image, seen);
    if (image.stream == StreamKind::spool)
      expect_little_lost(image, seen, changes, log.has_value());
  }

  static const test::SeenRecord* written(const Image& image, const RecordRef& ref) {
    for (const test::SeenRecord& record : image.records)
      if (record.ref == ref) return &record;
    return nullptr;
  }
  static void expect_nothing_altered(const Image& image, const Remembers& seen) {
    for (const test::SeenRecord& record : seen.records) {
      const test::SeenRecord* const original = written(image, record.ref);
      if (original == nullptr && image.stream == StreamKind::journal) continue;
      KURIR_ASSERT(original != nullptr);
      KURIR_ASSERT(original->payload == record.payload);
      KURIR_ASSERT(original->type == record.type);
    }
  }
  static void expect_little_lost(const Image& image, const Remembers& seen,
                                 const std::vector<Change>& changes, bool opened) {
    const std::size_t mark = image.used - padded(record_octets(sizeof(MarkPayload)));
    for (const Change& change : changes)
      if (change.place >= mark || change.place < block_octets) return;
    KURIR_ASSERT(opened);
    std::size_t lost = 0;
    for (const test::SeenRecord& record : image.records) {
      const auto is_it = [&](const test::SeenRecord& one) { return one.ref == record.ref; };
      if (std::ranges::any_of(seen.records, is_it)) continue;
      ++lost;
      const std::size_t end = record.ref.offset + record.ref.octets;
      KURIR_ASSERT(std::ranges::any_of(changes, [&](const Change& change) {
        return change.place >= record.ref.offset && change.place < end;
      }));
    }
    KURIR_ASSERT(lost == 0 || !seen.corrupt.empty());
  }

  std::string directory_;
  Image spool_, journal_;
};

Task<void> live(fuzz::InputGate& gate) {
  const kurir::test::TemporaryDirectory directory;
  Deal deal(directory.path());
  co_await deal.prepare();
  co_await fuzz::serve(gate, 10'000, deal);
}

}  // namespace
}  // namespace kurir::store

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  static fuzz::CoreThread thread([](fuzz::InputGate& gate) {
    kurir::test::on_cores(1, [&](CoreIndex) { return store::live(gate); });
  });
  thread.pass(fuzz::text_of(data, size));
  return 0;
}
