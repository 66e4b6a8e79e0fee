#pragma once
// The logs of one shard in a folder of its own, opened as a start of the server opens them.
// Core-local.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "kurir/store/data_directory.hh"
#include "kurir/store/log.hh"
#include "kurir/store/reader.hh"

namespace kurir::test {

class Shard {
 public:
  // Told what an earlier run left: the journal first, then mail, then the spool.
  using Seen = std::function<void(const store::RecordView&)>;
  explicit Shard(std::string path) : path_(std::move(path)) {}
  ~Shard() = default;
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  Task<void> open(Seen seen = {}) {
    data_.emplace(*store::DataDirectory::open(path_, {.new_instance = 42}));
    journal_ = co_await open_log(store::StreamKind::journal, seen);
    mail_ = co_await open_log(store::StreamKind::mail, seen);
    spool_ = co_await open_log(store::StreamKind::spool, seen);
    reader_.emplace(path_, data_->instance());
  }
  Task<void> stop() {
    co_await journal_->stop();
    co_await mail_->stop();
    co_await spool_->stop();
    reader_.reset();
    journal_.reset();
    mail_.reset();
    spool_.reset();
    data_.reset();
  }

  const std::string& path() const { return path_; }
  store::Log& journal() { return *journal_; }
  store::Log& mail() { return *mail_; }
  store::Log& spool() { return *spool_; }
  store::Reader& reader() { return *reader_; }
  std::uint32_t start() const { return data_->epoch(); }

 private:
  class Visitor final : public store::RecordVisitor {
   public:
    explicit Visitor(const Seen& seen) : seen_(seen) {}
    void on_record(const store::RecordView& record) override {
      if (seen_) return seen_(record);
      ADD_FAILURE() << "the folder is new";
    }
    void on_corrupt(const store::RecordRef&) override { ADD_FAILURE() << "damaged"; }

   private:
    const Seen& seen_;
  };

  Task<std::unique_ptr<store::Log>> open_log(store::StreamKind stream, const Seen& seen) {
    Visitor visitor(seen);
    store::LogOptions options;
    options.directory = *data_->shard_directory(ShardIndex(0));
    options.instance = data_->instance();
    options.stream = stream;
    options.segment_octets = 4 << 20;
    options.durability = store::Durability::none;  // given to the kernel: a copy would show it
    auto log = co_await store::Log::open(std::move(options), visitor);
    KURIR_ASSERT(log.has_value());
    co_return std::move(*log);
  }

  const std::string path_;
  std::optional<store::DataDirectory> data_;
  std::unique_ptr<store::Log> journal_, mail_, spool_;
  std::optional<store::Reader> reader_;
};

}  // namespace kurir::test
