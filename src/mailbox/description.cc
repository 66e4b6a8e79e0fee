#include "kurir/mailbox/description.hh"

#include <algorithm>
#include <utility>

#include "kurir/base/limits.hh"
#include "kurir/mailbox/journal_record.hh"

namespace kurir::mailbox {
namespace {

constexpr std::size_t message_octets = 60;  // journal_record.hh
constexpr std::size_t folder_octets = 15;   // beside its name

NewFolder described(const Folder& folder) {
  NewFolder described{.id = {}, .validity = {}, .use = folder.use, .name = folder.name};
  if (!folder.mailbox) return described;
  described.id = folder.mailbox->id();
  described.validity = folder.mailbox->uid_validity();
  return described;
}

}  // namespace

std::optional<std::string> Description::next() {
  while (part_ != Part::done && piece_.size() < piece_octets_) {
    if (part_ == Part::folders) {
      add_folders();
    } else if (part_ == Part::subscriptions) {
      add_subscription();
    } else {
      add_of_mailbox();
    }
  }
  if (piece_.empty()) return std::nullopt;
  return std::exchange(piece_, {});
}

void Description::next_part(Part part) {
  part_ = part;
  position_ = 0;
}

// The first change makes the account. Folders that are there already are passed over by it as by
// the others.
void Description::add_folders() {
  const std::vector<Folder>& folders = account_->tree().folders;
  const bool is_first = position_ == 0;
  std::vector<NewFolder> some;
  for (std::size_t octets = 0; position_ < folders.size() && octets < piece_octets_; ++position_) {
    octets += folder_octets + folders[position_].name.size();
    some.push_back(described(folders[position_]));
  }
  if (is_first) {
    encode(AccountCreated{.account = account_->id(),
                          .mailbox_last = account_->mailbox_last(),
                          .validity_last = account_->validity_last(),
                          .folders = std::move(some)},
           piece_);
  } else if (!some.empty()) {
    encode(FoldersCreated{.account = account_->id(), .folders = std::move(some)}, piece_);
  }
  if (position_ == folders.size()) next_part(Part::subscriptions);
}

void Description::add_subscription() {
  const std::vector<std::string>& names = account_->tree().subscriptions;
  if (position_ == names.size()) return next_part(Part::mailboxes);
  encode(
      SubscriptionChanged{
          .account = account_->id(), .subscribed = true, .name = names[position_++]},
      piece_);
}

void Description::add_of_mailbox() {
  const std::vector<Folder>& folders = account_->tree().folders;
  while (position_ < folders.size() && !folders[position_].mailbox) ++position_;
  if (position_ == folders.size()) return next_part(Part::done);
  const Mailbox& mailbox = *folders[position_].mailbox;
  const std::vector<std::string>& keywords = mailbox.keywords().names;
  if (keywords_told_ < keywords.size()) {
    encode(KeywordAdded{.account = account_->id(),
                        .mailbox = mailbox.id(),
                        .index = static_cast<std::uint8_t>(keywords_told_),
                        .name = keywords[keywords_told_]},
           piece_);
    ++keywords_told_;
    return;
  }
  if (messages_told_ < mailbox.messages()) return add_messages(mailbox);
  encode(MailboxRestored{.account = account_->id(),
                         .mailbox = mailbox.id(),
                         .uid_next = mailbox.uid_next(),
                         .highest_modseq = mailbox.highest_modseq()},
         piece_);
  ++position_;
  keywords_told_ = messages_told_ = 0;
}

void Description::add_messages(const Mailbox& mailbox) {
  const auto most = static_cast<std::uint32_t>(std::clamp<std::size_t>(
      (piece_octets_ - piece_.size()) / message_octets, 1, limits::mailbox_record_messages_max));
  Appended appended{.account = account_->id(), .mailbox = mailbox.id(), .messages = {}};
  mailbox.snapshot().walk({messages_told_ + 1, messages_told_ + most}, [&](const Located& at) {
    appended.messages.push_back(at.entry().describe());
  });
  messages_told_ += static_cast<std::uint32_t>(appended.messages.size());
  encode(appended, piece_);
}

std::vector<std::string> describe(const Account& account) {
  std::vector<std::string> pieces;
  Description description(account, limits::checkpoint_record_octets);
  while (std::optional<std::string> piece = description.next()) pieces.push_back(*std::move(piece));
  return pieces;
}

}  // namespace kurir::mailbox
