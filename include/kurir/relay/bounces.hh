#pragma once
// Bounces: tells senders what became of their mail: a delivery status notification (RFC 3464) with
// the null reverse-path, queued like any other message. Core-local.

#include <string>

#include "kurir/directory/directory.hh"
#include "kurir/queue/queue.hh"
#include "kurir/store/reader.hh"

namespace kurir::relay {

struct BounceOptions {
  std::string hostname;
  // Where a notification goes that could not be delivered itself; empty: nowhere.
  std::string double_bounce_to;
  Nanoseconds max_age{};  // how long a delayed message is tried
};

class Bounces final : public queue::Notifier {
 public:
  Bounces(BounceOptions options, queue::Queue& queue, directory::Directory& directory,
          store::Reader& reader);

  // Never for the null reverse-path (RFC 5321 4.5.5), but for notifications of our own, where
  // double bounces are wanted; and never for those.
  bool wants(const queue::Message& message) const override;
  Task<Result<void>> notify(const queue::Message& message, std::vector<std::uint16_t> ordinals,
                            Kind kind) override;

 private:
  std::string address_of_sender(const queue::Message& message) const;
  Task<std::string> read_original(const queue::Message& message);
  std::string compose(const queue::Message& message, const std::vector<std::uint16_t>& ordinals,
                      Kind kind, const std::string& original, QueueId id) const;
  queue::Recipients recipients_for(const std::string& address) const;

  BounceOptions options_;
  queue::Queue& queue_;
  directory::Directory& directory_;
  store::Reader& reader_;
};

}  // namespace kurir::relay
