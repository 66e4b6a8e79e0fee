#include "mail_intake.hh"

#include <algorithm>

#include "core_server.hh"
#include "kurir/directory/address.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/mesh.hh"
#include "kurir/io/offload.hh"
#include "kurir/mailbox/content_writer.hh"
#include "kurir/mailbox/stored_message.hh"

namespace kurir::server {
namespace {

constexpr std::size_t extent_piece_octets = 256 << 10;  // of content handed over at once

// The user behind user+folder@domain, as it is stored; nullopt: nobody can have that name.
std::optional<std::string> user_of(std::string_view address) {
  const auto parts = directory::split_address(address);
  if (!parts) return std::nullopt;
  const std::string_view user = parts->local_part.substr(0, parts->local_part.find('+'));
  return directory::stored_user_address(std::string(user) + '@' + std::string(parts->domain));
}

bool is_well(const Result<void>& result) { return result || result.error().code == Errc::exists; }

}  // namespace

MailIntake::MailIntake(SharedState& shared, directory::Directory& directory,
                       mailbox::Mailboxes& mailboxes, queue::Queue& queue)
    : shared_(shared),
      directory_(directory),
      mailboxes_(mailboxes),
      queue_(queue),
      password_hash_(shared.options.guest->password_hash()) {}

bool MailIntake::takes(std::string_view address) const {
  const Shared<const directory::Snapshot> names = directory_.pin();
  const directory::Resolution kind = names->resolve(address).kind;
  if (kind == directory::Resolution::account) return true;
  const bool is_free =
      kind == directory::Resolution::unknown_user || kind == directory::Resolution::not_local;
  return is_free && user_of(address).has_value();
}

bool MailIntake::are_users(const GuestMail& mail) const {
  const Shared<const directory::Snapshot> names = directory_.pin();
  return std::ranges::all_of(mail.recipients, [&names](std::string_view address) {
    return names->resolve(address).kind == directory::Resolution::account;
  });
}

Task<Result<void>> MailIntake::take(const GuestMail& mail) {
  const bool known = co_await make_users(mail);
  if (!known) co_return fail(Errc::invalid, Origin::directory);
  mailbox::ContentPins pins(mailboxes_.mail());
  mailbox::ContentWriter writer(pins);
  for (std::size_t begin = 0; begin < mail.content.size(); begin += extent_piece_octets) {
    const Result<void> written =
        co_await writer.write(mail.content.substr(begin, extent_piece_octets));
    if (!written) co_return written;
  }
  store::MessageEnvelope envelope;
  envelope.queue_id = queue_.make_id();
  envelope.received = io::wall_now();
  envelope.reverse_path = mail.reverse_path;
  envelope.helo = mail.helo;
  envelope.peer_address = mail.peer_address;
  envelope.protocol = mail.protocol;
  for (const std::string_view address : mail.recipients)
    envelope.recipients.push_back({.address = address, .flags = store::recipient_flag::local});
  Stored stored{{}, envelope.queue_id, envelope.received.seconds()};
  const Result<store::RecordRef> record = co_await writer.finish(std::move(envelope));
  if (!record) co_return std::unexpected(record.error());
  stored.record = *record;
  Result<void> outcome;
  Scope deliveries;
  for (std::size_t ordinal = 0; ordinal < mail.recipients.size(); ++ordinal)
    deliveries.start(deliver(mail, ordinal, stored, outcome));
  co_await deliveries.join();
  if (!outcome) pins.keep();
  co_return outcome;
}

Task<void> MailIntake::deliver(const GuestMail& mail, std::size_t ordinal, const Stored& stored,
                               Result<void>& outcome) {
  const std::string_view address = mail.recipients[ordinal];
  const Shared<const directory::Snapshot> names = directory_.pin();
  const directory::LocalRecipient resolved = names->resolve(address);
  if (resolved.kind != directory::Resolution::account) {  // removed a moment ago
    outcome = fail(Errc::invalid, Origin::directory);
    co_return;
  }
  const std::string prefix = mailbox::delivery_prefix(mail.reverse_path, address);
  mailbox::Arrival arrival;
  arrival.internal_date = stored.seconds;
  arrival.content = stored.record;
  arrival.origin = stored.id;
  arrival.ordinal = static_cast<std::uint16_t>(ordinal);
  arrival.prefix_octets = static_cast<std::uint16_t>(prefix.size());
  arrival.size = static_cast<std::uint32_t>(prefix.size() + mail.content.size());
  const Result<mailbox::AppendOutcome> delivered =
      co_await mailboxes_.deliver(resolved.account.id, std::string(resolved.folder), true,
                                  resolved.account.quota_octets, std::move(arrival));
  if (!delivered) outcome = std::unexpected(delivered.error());
}

// Those who wait for users while others are being made have theirs made together.
Task<bool> MailIntake::make_users(const GuestMail& mail) {
  if (are_users(mail)) co_return true;
  for (const std::string_view address : mail.recipients) {
    std::optional<std::string> user = user_of(address);
    if (user && std::ranges::find(wanted_, *user) == wanted_.end())
      wanted_.push_back(std::move(*user));
  }
  while (making_) co_await made_.wait();
  if (are_users(mail)) co_return true;
  making_ = true;
  const bool made = co_await make_wanted();
  making_ = false;
  made_.notify_all();
  co_return made&& are_users(mail);
}

// The database blocks: on the offload pool. What it holds then is seen by every core.
Task<bool> MailIntake::make_wanted() {
  const std::vector<std::string> wanted = std::exchange(wanted_, {});
  const auto make = [this, &wanted]() -> Result<Shared<const directory::Snapshot>> {
    const std::lock_guard lock(shared_.database_mutex);
    for (const std::string& user : wanted) {
      const Result<void> domain = shared_.database.add_domain(user.substr(user.rfind('@') + 1));
      if (!is_well(domain)) return std::unexpected(domain.error());
      const Result<AccountId> added =
          shared_.database.add_user({.address = user, .password_hash = password_hash_});
      if (!added && added.error().code != Errc::exists) return std::unexpected(added.error());
    }
    return shared_.database.read_snapshot(shared_.hash_key);
  };
  const Result<Result<Shared<const directory::Snapshot>>> done = co_await io::offload(make);
  if (!done || !*done) co_return false;
  const Shared<const directory::Snapshot>& snapshot = **done;
  for (CoreServer* server : shared_.servers)
    co_await io::on_core(server->core(),
                         [server, &snapshot] { server->directory().replace(snapshot); });
  co_return true;
}

}  // namespace kurir::server
