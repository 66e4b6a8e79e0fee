// The mark for "close to the limit": an SMTP server that says fixed replies, on the same engine,
// and does nothing else; with --durable each message is a record of a log, and its 250 waits for
// the group commit. No command is parsed beyond its first letter, no content is looked at but for
// its end.
//
//   bench/ceiling PORT [--durable FOLDER]     ends with SIGTERM or SIGINT

#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kurir/coro/scope.hh"
#include "kurir/io/core.hh"
#include "kurir/io/file.hh"
#include "kurir/io/signals.hh"
#include "kurir/io/socket.hh"
#include "kurir/store/data_directory.hh"
#include "kurir/store/log.hh"

namespace {

using namespace kurir;

constexpr std::string_view content_end = "\r\n.\r\n";
constexpr Nanoseconds timeout = Seconds(60);

struct Ceiling {
  std::uint16_t port = 0;
  std::optional<store::DataDirectory> data;  // of the durable one
};

class Session {
 public:
  Session(io::Descriptor descriptor, store::Log* log) : socket_(descriptor), log_(log) {}

  Task<void> run() {
    socket_.output() += "220 ceiling\r\n";
    while (!ended_) {
      const Result<void> flushed = co_await socket_.flush(deadline_in(timeout));
      if (!flushed) break;
      if (socket_.input().empty()) {
        const Result<void> filled = co_await socket_.fill(deadline_in(timeout));
        if (!filled) break;
      }
      while (!socket_.input().empty() && !ended_) {
        if (is_content_)
          co_await take_content();
        else
          take_line();
      }
    }
    static_cast<void>(co_await socket_.flush(deadline_in(timeout)));
    co_await socket_.close();
  }

 private:
  // A command's first letter decides; one that is cut goes on with the next slice.
  void take_line() {
    const std::string_view slice = socket_.input().front();
    if (letter_ == 0) letter_ = slice[0];
    const std::size_t end = slice.find('\n');
    const std::size_t octets = end == std::string_view::npos ? slice.size() : end + 1;
    socket_.input().consume(octets);
    if (end == std::string_view::npos) return;
    const char letter = std::exchange(letter_, '\0');
    is_content_ = letter == 'D';
    ended_ = letter == 'Q';
    socket_.output() += letter == 'E'   ? "250-ceiling\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
                        : is_content_   ? "354 go\r\n"
                        : letter == 'Q' ? "221 bye\r\n"
                                        : "250 ok\r\n";
  }

  Task<void> take_content() {
    const std::string_view slice = socket_.input().front();
    const std::size_t taken = end_in(slice);
    if (log_ != nullptr) content_ += slice.substr(0, taken);
    socket_.input().consume(taken);
    if (is_content_) co_return;
    if (log_ != nullptr) co_await commit();
    socket_.output() += "250 ok\r\n";
  }

  // How much of the slice is content; the end may lie across slices.
  std::size_t end_in(std::string_view slice) {
    const std::string seam = tail_ + std::string(slice.substr(0, content_end.size() - 1));
    const std::size_t in_seam = seam.find(content_end);
    std::size_t taken = slice.size();
    if (in_seam != std::string::npos) {
      taken = in_seam + content_end.size() - tail_.size();
      is_content_ = false;
    } else if (const void* found =
                   ::memmem(slice.data(), slice.size(), content_end.data(), content_end.size())) {
      taken = static_cast<std::size_t>(static_cast<const char*>(found) - slice.data()) +
              content_end.size();
      is_content_ = false;
    }
    if (!is_content_) {
      tail_.clear();
    } else {
      tail_ = slice.size() >= content_end.size() - 1
                  ? std::string(slice.substr(slice.size() - (content_end.size() - 1)))
                  : seam.substr(seam.size() - std::min(seam.size(), content_end.size() - 1));
    }
    return taken;
  }

  Task<void> commit() {
    const Result<void> roomy = co_await log_->room(content_.size(), deadline_in(timeout));
    KURIR_ASSERT(roomy.has_value());
    const Result<store::RecordRef> record =
        log_->append(store::record_type::message, std::string_view(content_));
    KURIR_ASSERT(record.has_value());
    content_.clear();
    const Result<void> committed = co_await log_->commit(*record);
    KURIR_ASSERT(committed.has_value());
    log_->release(*record);
  }

  io::Socket socket_;
  store::Log* log_;
  std::string content_, tail_;
  char letter_ = 0;
  bool is_content_ = false, ended_ = false;
};

class NothingFound final : public store::RecordVisitor {
 public:
  void on_record(const store::RecordView&) override {}
  void on_corrupt(const store::RecordRef&) override {}
};

Task<void> serve_one(io::Descriptor descriptor, store::Log* log) {
  Session session(descriptor, log);
  co_await session.run();
}

Task<void> accept_all(io::Listener& listener, Scope& scope, store::Log* log) {
  for (;;) {
    const Result<io::Descriptor> descriptor = co_await listener.accept();
    if (!descriptor) co_return;
    scope.start(serve_one(*descriptor, log));
  }
}

Task<std::unique_ptr<store::Log>> open_log(Ceiling& ceiling, CoreIndex core) {
  if (!ceiling.data) co_return nullptr;
  NothingFound nothing;
  store::LogOptions options;
  options.directory = *ceiling.data->shard_directory(ShardIndex(core.value));
  options.instance = ceiling.data->instance();
  options.shard = ShardIndex(core.value);
  auto log = co_await store::Log::open(std::move(options), nothing);
  KURIR_ASSERT(log.has_value());
  (*log)->begin_reclaiming();
  co_return std::move(*log);
}

Task<void> run_core(Ceiling& ceiling, CoreIndex core) {
  std::unique_ptr<store::Log> log = co_await open_log(ceiling, core);
  io::SocketAddress address = io::SocketAddress::ipv4({127, 0, 0, 1}, ceiling.port);
  auto listener = io::Listener::open(address);
  KURIR_ASSERT(listener.has_value());
  Scope scope;
  scope.start(accept_all(**listener, scope, log.get()));
  // One core hears the signal and ends the process: nothing here is worth a graceful stop.
  if (core.value == 0) {
    io::SignalWatch watch;
    io::ProcessSignal signal{};
    static_cast<void>(co_await watch.next(signal));
    std::_Exit(0);
  }
  co_await scope.join();
}

}  // namespace

int main(int count, char** arguments) {
  Ceiling ceiling;
  if (count != 2 && !(count == 4 && std::strcmp(arguments[2], "--durable") == 0)) {
    io::print_error("usage: ceiling PORT [--durable FOLDER]");
    return 64;
  }
  ceiling.port = static_cast<std::uint16_t>(std::atoi(arguments[1]));
  if (count == 4) {
    auto data = store::DataDirectory::open(arguments[3], {.new_instance = 1});
    if (!data) return 73;
    ceiling.data.emplace(std::move(*data));
  }
  const Result<void> ran =
      io::Cores::run({}, [&](CoreIndex core) { return run_core(ceiling, core); });
  return ran ? 0 : 71;
}
