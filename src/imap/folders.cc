// SELECT EXAMINE CREATE DELETE RENAME SUBSCRIBE UNSUBSCRIBE STATUS CLOSE UNSELECT (RFC
// 9051 6.3, 6.4).

#include <algorithm>

#include "kurir/imap/server_session.hh"

namespace kurir::imap {

// Names are keys and never paths; but clients that keep mail in files make paths of them
// (threats.md I4).
static bool has_dot_level(std::string_view name) {
  while (!name.empty()) {
    const std::string_view level = name.substr(0, name.find(wire::hierarchy_delimiter));
    if (level == "." || level == "..") return true;
    name.remove_prefix(std::min(name.size(), level.size() + 1));
  }
  return false;
}

// Answers NO itself where the name cannot be one.
std::optional<std::string> ServerSession::folder_name(const wire::ImapString& sent) {
  std::expected<std::string, wire::ImapNameFault> name =
      wire::decode_mailbox_name(sent.view(), encoding());
  if (name && !has_dot_level(*name)) return std::move(*name);
  if (name) {
    no("A level of a mailbox name may not be a dot or two", wire::imap_code::cannot);
    return std::nullopt;
  }
  no(wire::imap_name_fault_text(name.error()), wire::imap_code::cannot);
  return std::nullopt;
}

Shared<mailbox::Mailbox> ServerSession::find_mailbox(std::string_view name) const {
  const mailbox::Folder* folder = user_->folders->tree().find(name);
  return folder == nullptr ? Shared<mailbox::Mailbox>() : folder->mailbox;
}

ServerSession::Step ServerSession::on(const wire::ImapSelect& command) {
  const std::optional<std::string> name = folder_name(command.mailbox);
  if (!name) co_return Next::go_on;
  if (selected_)
    writer().condition("*", wire::ImapCondition::ok, wire::imap_code::closed,
                       "Previous mailbox closed");
  selected_.reset();
  const Shared<mailbox::Mailbox> found = find_mailbox(*name);
  if (!found) co_return no("No such mailbox", wire::imap_code::nonexistent);
  if (command.condstore) condstore_ = true;
  selected_.emplace(found, command.read_only);
  selected_->recent_from = command.read_only ? found->uid_next() : found->claim_recent();
  const std::vector<std::string> names = keywords();
  const std::vector<std::string_view> known(names.begin(), names.end());
  constexpr wire::FlagWord everything = ~wire::FlagWord{0};
  wire::ImapWriter out = writer();
  out.flags_line(everything, known);
  out.exists(selected_->view.messages());
  if (!rev2_)
    out.recent(found->uid_next().value > selected_->recent_from.value
                   ? selected_->view.messages() -
                         selected_->view.snapshot().live_below(selected_->recent_from.value)
                   : 0);
  const auto untagged = [&](std::string_view code, std::string_view text) {
    out.condition("*", wire::ImapCondition::ok, code, text);
  };
  const std::uint32_t unseen = selected_->view.first_unseen();
  if (!rev2_ && unseen > 0) untagged(wire::imap_code::unseen(unseen), "First unseen");
  const bool writable = !command.read_only;
  untagged(
      wire::imap_code::permanent_flags(
          writable ? everything : 0, writable ? known : std::vector<std::string_view>(), writable),
      "Flags that stay");
  untagged(wire::imap_code::uid_validity(found->uid_validity()), "UIDs valid");
  untagged(wire::imap_code::uid_next(found->uid_next()), "Next UID");
  untagged(wire::imap_code::highest_modseq(selected_->view.told()), "Highest");
  if (rev2_) {
    wire::ImapListEntry entry;
    entry.name = *name;
    out.list(entry);
  }
  co_return ok(writable ? "SELECT completed" : "EXAMINE completed",
               writable ? wire::imap_code::read_write : wire::imap_code::read_only);
}

ServerSession::Step ServerSession::change_folder(Task<Result<void>> change, std::string_view done) {
  const Result<void> changed = co_await std::move(change);
  if (!changed) co_return no(changed.error());
  tell_updates(mailbox::Expunges::tell);
  co_return ok(done);
}

namespace {
mailbox::SpecialUse first_use(wire::SpecialUseWord word) {
  for (unsigned bit = 0; bit < static_cast<unsigned>(mailbox::special_use_last); ++bit)
    if ((word & (1U << bit)) != 0) return static_cast<mailbox::SpecialUse>(bit + 1);
  return mailbox::SpecialUse::none;
}
}  // namespace

ServerSession::Step ServerSession::on(const wire::ImapCreate& command) {
  if (command.unknown_use)
    co_return no("No such use of a mailbox is known", wire::imap_code::use_attribute);
  const wire::ImapString bare(wire::strip_create_suffix(command.mailbox.view()));
  const std::optional<std::string> name = folder_name(bare);
  if (!name) co_return Next::go_on;
  const Next next = co_await change_folder(
      services_.mailboxes.create_folder(user_->account, *name, first_use(command.use)),
      "CREATE completed");
  co_return next;
}

ServerSession::Step ServerSession::on(const wire::ImapDelete& command) {
  const std::optional<std::string> name = folder_name(command.mailbox);
  if (!name) co_return Next::go_on;
  const Shared<mailbox::Mailbox> found = find_mailbox(*name);
  if (selected_ && found && &selected_->view.mailbox() == found.get()) selected_.reset();
  const Next next = co_await change_folder(services_.mailboxes.delete_folder(user_->account, *name),
                                           "DELETE completed");
  co_return next;
}

ServerSession::Step ServerSession::on(const wire::ImapRename& command) {
  const std::optional<std::string> from = folder_name(command.from);
  if (!from) co_return Next::go_on;
  const std::optional<std::string> to = folder_name(command.to);
  if (!to) co_return Next::go_on;
  const Next next = co_await change_folder(
      services_.mailboxes.rename_folder(user_->account, *from, *to), "RENAME completed");
  co_return next;
}

ServerSession::Step ServerSession::on(const wire::ImapSubscribe& command) {
  const std::optional<std::string> name = folder_name(command.mailbox);
  if (!name) co_return Next::go_on;
  const Next next = co_await change_folder(
      services_.mailboxes.subscribe(user_->account, *name, true), "SUBSCRIBE completed");
  co_return next;
}

ServerSession::Step ServerSession::on(const wire::ImapUnsubscribe& command) {
  const std::optional<std::string> name = folder_name(command.mailbox);
  if (!name) co_return Next::go_on;
  const Next next = co_await change_folder(
      services_.mailboxes.subscribe(user_->account, *name, false), "UNSUBSCRIBE completed");
  co_return next;
}

void ServerSession::write_status(std::string_view name, const mailbox::Mailbox& mailbox,
                                 wire::StatusWord items) {
  wire::ImapMailboxStatus status;
  status.messages = mailbox.messages();
  status.uid_next = mailbox.uid_next();
  status.uid_validity = mailbox.uid_validity();
  status.unseen = mailbox.unseen();
  status.deleted = mailbox.deleted();
  status.size = mailbox.octets();
  status.highest_modseq = mailbox.highest_modseq();
  constexpr wire::StatusWord known = wire::status::messages | wire::status::recent |
                                     wire::status::uid_next | wire::status::uid_validity |
                                     wire::status::unseen | wire::status::deleted |
                                     wire::status::size | wire::status::highest_modseq;
  writer().status(name, items & known, status);
}

ServerSession::Step ServerSession::on(const wire::ImapStatus& command) {
  const std::optional<std::string> name = folder_name(command.mailbox);
  if (!name) co_return Next::go_on;
  const Shared<mailbox::Mailbox> found = find_mailbox(*name);
  if (!found) co_return no("No such mailbox", wire::imap_code::nonexistent);
  write_status(*name, *found, command.items);
  tell_updates(mailbox::Expunges::tell);
  co_return ok("STATUS completed");
}

// CLOSE expunges without telling; UNSELECT does not expunge.
ServerSession::Step ServerSession::on(const wire::ImapClose&) {
  const MailboxId mailbox = selected_->view.mailbox().id();
  const bool expunge = !selected_->read_only;
  selected_.reset();
  if (expunge) {
    std::vector<mailbox::NumberRange> all;
    all.push_back({1, ~std::uint32_t{0}});
    const Result<std::vector<Uid>> gone =
        co_await services_.mailboxes.expunge(user_->account, mailbox, std::move(all), true);
    if (!gone) co_return no(gone.error());
  }
  co_return ok("CLOSE completed");
}

ServerSession::Step ServerSession::on(const wire::ImapUnselect&) {
  selected_.reset();
  co_return ok("UNSELECT completed");
}

}  // namespace kurir::imap
