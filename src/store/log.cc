#include "kurir/store/log.hh"

#include <algorithm>
#include <utility>

#include "kurir/base/assert.hh"
#include "log_recovery.hh"
#include "log_writer.hh"

namespace kurir::store {
namespace {

bool valid(const LogOptions& options) {
  const auto whole_blocks = [](std::uint32_t octets) { return octets % block_octets == 0; };
  return whole_blocks(options.segment_octets) && whole_blocks(options.batch_octets) &&
         options.segment_octets >= 4 * block_octets && options.batch_octets >= 4 * block_octets &&
         options.segment_octets <= limits::log_segment_octets_max && options.batches_max >= 1;
}

Result<void> make_free(const LogOptions& options, std::uint32_t number) {
  const std::string from = options.directory + "/" + segment_name(options.stream, number);
  return io::rename_file(from, options.directory + "/" + free_segment_name(options.stream, number));
}

}  // namespace

Log::Writer::Writer(LogOptions options)
    : options_(std::move(options)),
      log_id_(store::log_id(options_.instance, options_.stream, options_.shard)),
      pool_(options_, statistics_) {}

Log::Writer::~Writer() { KURIR_ASSERT(background_.running() == 0); }

Task<Result<void>> Log::Writer::recover(RecordVisitor& visitor) {
  Recovery recovery(options_, visitor);
  const Result<void> recovered = co_await recovery.run();
  if (!recovered) co_return recovered;
  for (const FoundSegment& found : recovery.segments) {
    SegmentState& state = segments_[found.segment];
    state.file_octets = found.file_octets;
    state.committed_end = found.end;
    state.closed = true;
    newest_ = found.segment;
    current_end_ = found.end;
  }
  next_sequence_ = recovery.next_sequence;
  // Numbers are not given again below the place that the owner begins from, even where the files
  // that had them are gone: it would not be shown what lies there.
  pool_.set_next_number(std::max(recovery.next_number, options_.start_from.segment + 1));
  for (const std::vector<std::uint32_t>* numbers : {&recovery.superseded, &recovery.unused}) {
    for (const std::uint32_t number : *numbers) {
      const Result<void> freed = make_free(options_, number);
      if (!freed) co_return freed;
      recovery.free_files.push_back(number);
    }
  }
  for (const std::string& path : recovery.to_remove) {
    const Result<void> removed = io::remove_file(path);
    if (!removed) co_return removed;
  }
  co_return co_await adopt_free_files(recovery.free_files);
}

// Those of the right size, up to the bound; the others go.
Task<Result<void>> Log::Writer::adopt_free_files(std::vector<std::uint32_t>& numbers) {
  std::sort(numbers.begin(), numbers.end());
  for (const std::uint32_t number : numbers) {
    const std::string path = options_.directory + "/" + free_segment_name(options_.stream, number);
    const io::OpenOptions read_only;
    const Result<io::File> file = co_await io::File::open(path, read_only);
    if (!file) co_return std::unexpected(file.error());
    const Result<std::uint64_t> size = file->size();
    const bool fits = size && *size == options_.segment_octets;
    if (fits && pool_.free_count() < options_.free_segments_max) {
      pool_.add_free(number);
      continue;
    }
    const Result<void> removed = io::remove_file(path);
    if (!removed) co_return removed;
  }
  co_return Result<void>();
}

// A full disk is no reason not to start: what is queued can still leave.
Task<void> Log::Writer::start() {
  hurry_ = true;  // the first segment is not filled: the start does not wait for that
  co_await prepare_next();
  background_.start(flush_staged());
  background_.start(keep_segments());
}

Task<Result<std::unique_ptr<Log>>> Log::open(LogOptions options, RecordVisitor& visitor) {
  if (!valid(options)) co_return fail(Errc::invalid, Origin::log);
  auto writer = std::make_unique<Writer>(std::move(options));
  const Result<void> recovered = co_await writer->recover(visitor);
  if (!recovered) co_return std::unexpected(recovered.error());
  co_await writer->start();
  co_return std::unique_ptr<Log>(new Log(std::move(writer)));
}

Log::Log(std::unique_ptr<Writer> writer) : writer_(std::move(writer)) {}
Log::~Log() { KURIR_ASSERT(writer_->stopped()); }

Result<RecordRef> Log::append(std::uint16_t type, std::span<const std::string_view> parts) {
  return writer_->append(type, parts);
}

Task<Result<void>> Log::commit(RecordRef ref) { return writer_->commit(ref); }

Task<Result<void>> Log::commit(std::span<const RecordRef> refs) {
  Result<void> all;
  for (const RecordRef& ref : refs) {
    const Result<void> one = co_await writer_->commit(ref);
    if (!one) all = one;
  }
  co_return all;
}

Task<Result<void>> Log::commit_appended() { return writer_->commit_appended(); }

bool Log::has_room(std::size_t payload_octets) const { return writer_->has_room(payload_octets); }
Task<Result<void>> Log::room(std::size_t payload_octets, Deadline deadline) {
  return writer_->room(payload_octets, deadline);
}
std::size_t Log::record_payload_max() const { return writer_->payload_max(); }

void Log::retain(const RecordRef& ref) { writer_->retain(ref); }
bool Log::has(const RecordRef& ref) const { return writer_->has(ref); }
void Log::release(const RecordRef& ref) { writer_->release(ref); }
void Log::begin_reclaiming() { writer_->begin_reclaiming(); }
std::vector<Log::SegmentUse> Log::segment_use() const { return writer_->segment_use(); }

Task<Result<void>> Log::begin_checkpoint() { return writer_->begin_checkpoint(); }
Task<Result<void>> Log::finish_checkpoint(std::string_view payload) {
  return writer_->finish_checkpoint(payload);
}
void Log::abandon_checkpoint() { writer_->abandon_checkpoint(); }
void Log::set_reserve(std::uint64_t octets) { writer_->set_reserve(octets); }
void Log::drop(std::uint32_t segment) { writer_->drop(segment); }
void Log::drop_before(std::uint32_t segment) { writer_->drop_before(segment); }

LogPosition Log::end() const { return writer_->end(); }
std::uint64_t Log::octets_used() const { return writer_->octets_used(); }
const LogStatistics& Log::statistics() const { return writer_->statistics(); }
const LogOptions& Log::options() const { return writer_->options(); }
Task<void> Log::stop() { return writer_->stop(); }

}  // namespace kurir::store
