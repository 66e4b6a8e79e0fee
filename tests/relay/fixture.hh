#pragma once
// A queue whose remote mail a real relay delivers, asking a name server of the test's and reaching
// next hosts on loopback (next_hop.hh). One core. Users: support/bobs_directory.hh.

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kurir/io/clock.hh"
#include "kurir/relay/bounces.hh"
#include "kurir/relay/relay.hh"
#include "next_hop.hh"
#include "support/bobs_directory.hh"
#include "support/fake_name_server.hh"
#include "support/on_cores.hh"
#include "support/shard.hh"
#include "support/temporary_directory.hh"

namespace kurir::relay::test {

// What the name server says, by name: the records of its MX and A, or a code (2 SERVFAIL). A name
// that is not here does not exist.
class Zone {
 public:
  struct Mx {
    unsigned preference;
    std::string host;
  };
  void set_mx(const std::string& name, const std::vector<Mx>& hosts, std::uint32_t ttl = 300) {
    std::string records;
    for (const Mx& mx : hosts) records += dns::test::mx(mx.preference, mx.host, ttl);
    const std::lock_guard lock(mutex_);
    names_[name].mx = {records, static_cast<unsigned>(hosts.size())};
  }
  void set_a(const std::string& name, const std::vector<std::uint8_t>& lasts) {
    std::string records;
    for (const std::uint8_t last : lasts) records += dns::test::a(last);
    const std::lock_guard lock(mutex_);
    names_[name].a = {records, static_cast<unsigned>(lasts.size())};
  }
  void set_failure(const std::string& name, unsigned code) {
    const std::lock_guard lock(mutex_);
    names_[name].code = code;
  }
  // Nothing is said until it is released.
  void hold(bool held) { held_ = held; }

  void answer(const dns::test::Question& question, const dns::test::FakeServer::Send& send) {
    while (held_) std::this_thread::yield();
    const std::lock_guard lock(mutex_);
    const auto known = names_.find(question.name);
    constexpr unsigned no_such_name = 3;
    if (known == names_.end()) return send(dns::test::denial(question.packet, no_such_name));
    if (known->second.code != 0)
      return send(dns::test::reply_to(question.packet, dns::test::response | known->second.code));
    const bool is_mx = question.type == dns::RecordType::mx;
    const bool is_a = question.type == dns::RecordType::a;
    const Records& records = is_mx ? known->second.mx : known->second.a;
    if ((!is_mx && !is_a) || records.count == 0) return send(dns::test::denial(question.packet, 0));
    send(dns::test::reply_to(question.packet, records.octets, records.count));
  }

 private:
  struct Records {
    std::string octets;
    unsigned count = 0;
  };
  struct Known {
    Records mx, a;
    unsigned code = 0;
  };
  std::mutex mutex_;
  std::map<std::string, Known> names_;
  std::atomic<bool> held_{false};
};

// Remembers who is to be told what.
class Told final : public queue::Notifier {
 public:
  bool wants(const queue::Message& message) const override {
    return !message.envelope.reverse_path.empty();
  }
  Task<Result<void>> notify(const queue::Message& message, std::vector<std::uint16_t> ordinals,
                            Kind kind) override {
    for (const std::uint16_t ordinal : ordinals) {
      const queue::Recipient& recipient = message.envelope.recipients[ordinal];
      failures.push_back((kind == Kind::failed ? "" : "delayed ") + recipient.address + ": " +
                         std::string(recipient.last_answer.reply()));
    }
    co_return Result<void>();
  }
  std::vector<std::string> failures;
};

class House {
 public:
  using Body = std::function<Task<void>(House&)>;
  // `options`: its port is replaced by the first next hop's; 127.0.0.77 is our own address.
  static void run(RelayOptions options, const Body& body) {
    const kurir::test::TemporaryDirectory folder;
    House house(folder.path() + "/data", std::move(options));
    kurir::test::on_cores(1, [&](CoreIndex) { return house.live(body); });
  }

  Zone zone;
  Told told;
  // Listens on 127.0.0.2, 127.0.0.3 and so on, all on the port of the first.
  NextHop& hop(std::uint8_t last) {
    auto& hop = hops_[last];
    if (!hop) hop = std::make_unique<NextHop>(last, port_);
    return *hop;
  }
  queue::Queue& queue() { return *queue_; }
  store::Reader& reader() { return shard_.reader(); }
  Relay& relay() { return *relay_; }

  static queue::Envelope envelope_for(const std::vector<std::string>& recipients,
                                      std::string sender = "sender@example.test") {
    queue::Envelope envelope;
    envelope.reverse_path = std::move(sender);
    envelope.received = io::wall_now();
    for (const std::string& address : recipients) {
      queue::Recipient& recipient = envelope.recipients.emplace_back();
      recipient.address = address;
      recipient.is_local = address.ends_with("@example.test");
    }
    return envelope;
  }
  Task<QueueId> add(std::string recipient, std::string sender = "sender@example.test") {
    const std::string_view pieces[] = {"Subject: x\r\nMessage-ID: <m@x>\r\n\r\ntext\r\n"};
    const Result<queue::Message*> appended =
        queue_->append(queue_->make_id(), envelope_for({recipient}, std::move(sender)),
                       {.extents = {}, .extent_octets = 0, .pieces = pieces});
    KURIR_ASSERT(appended.has_value());
    const Result<QueueId> id = co_await queue_->commit(*appended);
    KURIR_ASSERT(id.has_value());
    co_return *id;
  }
  // Until the condition holds, looked at once a turn.
  Task<bool> until(std::function<bool()> condition) {
    const Deadline deadline = deadline_in(Seconds(15));
    while (!condition()) {
      if (io::now() > deadline) co_return false;
      co_await sleep_for(Milliseconds(1));
    }
    co_return true;
  }
  // The answer to the last attempt at the message's only recipient.
  std::string last_reply(QueueId id) const {
    const queue::Message* message = queue_->find(id);
    return message == nullptr
               ? "gone"
               : std::string(message->envelope.recipients.front().last_answer.reply());
  }

 private:
  House(std::string path, RelayOptions options)
      : names_([this](const auto& question, const auto& send) { zone.answer(question, send); }),
        options_(std::move(options)),
        shard_(std::move(path)) {}

  Task<void> live(const Body& body) {
    co_await shard_.open();
    logs_ = {&shard_.spool(), &shard_.mail(), &shard_.journal()};
    queue::QueueOptions queue_options;
    queue_options.retry_interval = Milliseconds(100);
    queue_options.max_retry_interval = Milliseconds(200);
    queue_.emplace(queue_options, ShardIndex(0), shard_.start(), logs_, events_, counters_);
    dns::ResolverOptions asking;
    asking.servers = {names_.address()};
    asking.cache.ttl_min = Milliseconds(20);
    asking.cache.failure_ttl = Milliseconds(20);
    resolver_.emplace(asking);
    port_ = hop(2).port();
    options_.port = port_;
    options_.own_addresses = {io::SocketAddress::ipv4({127, 0, 0, 77}, port_)};
    relay_.emplace(options_, CoreIndex(0), *queue_, *resolver_, shard_.reader(), sites_, counters_);
    queue_->set_notifier(told);
    queue_->add_deliverer(*relay_);
    queue_->start();
    co_await body(*this);
    zone.hold(false);
    relay_->begin_stop();
    co_await resolver_->stop();
    co_await queue_->stop();
    for (const auto& [last, hop] : hops_) co_await hop->stop();
    hops_.clear();
    queue_.reset();
    relay_.reset();
    resolver_.reset();
    co_await shard_.stop();
    co_await events_.stop();
  }

  dns::test::FakeServer names_;
  RelayOptions options_;
  kurir::test::Shard shard_;
  observe::EventSink sink_{"none"};
  observe::Counters counters_;
  observe::EventLog events_{sink_, &counters_};
  queue::ShardLogs logs_;
  SiteTable sites_{1};
  std::uint16_t port_ = 0;
  std::map<std::uint8_t, std::unique_ptr<NextHop>> hops_;
  std::optional<queue::Queue> queue_;
  std::optional<dns::Resolver> resolver_;
  std::optional<Relay> relay_;
};

inline RelayOptions impatient() {
  RelayOptions options;
  options.hostname = "me.example.test";
  options.back_off_min = Milliseconds(50);
  options.back_off_max = Milliseconds(100);
  return options;
}

}  // namespace kurir::relay::test
