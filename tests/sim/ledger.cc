#include "ledger.hh"

#include <algorithm>

#include "plan.hh"

namespace kurir::sim {
namespace {

// The text after `name` up to the line's end, from `at` on; moves `at` behind it.
std::string_view value_after(std::string_view text, std::string_view name, std::size_t& at) {
  const std::size_t found = text.find(name, at);
  if (found == std::string_view::npos) {
    at = text.size();
    return {};
  }
  const std::size_t begin = found + name.size();
  const std::size_t end = std::min(text.find("\r\n", begin), text.size());
  at = end;
  return text.substr(begin, end - begin);
}

std::string_view header_of(std::string_view content) {
  return content.substr(0, content.find("\r\n\r\n"));
}

bool is_bad(std::string_view recipient) {
  return recipient.starts_with("bad") || recipient.ends_with("@nowhere.test");
}

}  // namespace

std::string_view id_in(std::string_view content) {
  std::size_t at = 0;
  return value_after(content, "X-Sim-Id: ", at);
}

bool is_report(std::string_view content) {
  return header_of(content).find("multipart/report") != std::string_view::npos;
}

bool is_local(std::string_view recipient) { return recipient.ends_with("@kurir.test"); }

const SentMail* Ledger::find(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

TakenMail* Ledger::take(std::string_view content, std::vector<std::string> recipients,
                        Instant when) {
  index();
  TakenMail& mail = taken.emplace_back();
  mail.recipients = std::move(recipients);
  mail.when = when;
  if (is_report(content)) {
    std::map<Key, unsigned> before = std::move(reported_);
    reported_ = std::move(reported_away_);
    read_report(content);
    reported_away_ = std::move(reported_);
    reported_ = std::move(before);
    return &mail;
  }
  mail.id = id_in(content);
  const SentMail* original = find(mail.id);
  if (original == nullptr) {
    violation("a sink got mail that nobody sent: " + std::string(content.substr(0, 200)));
    return &mail;
  }
  check_content(content, *original, "a sink");
  for (const std::string& recipient : mail.recipients) {
    if (std::ranges::find(original->recipients, recipient) == original->recipients.end())
      violation(mail.id + ": delivered to " + recipient + ", who was never asked for");
    remote_[{mail.id, recipient}].push_back(&mail);
  }
  return &mail;
}

// Fields may stand before it; the rest is as it was sent, to the octet.
void Ledger::check_content(std::string_view content, const SentMail& mail, std::string_view where) {
  if (!content.ends_with(mail.content))
    violation(mail.id + ": altered on its way to " + std::string(where));
}

void Ledger::read_report(std::string_view content) {
  const std::string id(id_in(content));
  std::size_t at = 0;
  for (;;) {
    std::string recipient(value_after(content, "Final-Recipient: rfc822;", at));
    if (at >= content.size()) break;
    recipient.erase(0, recipient.find_first_not_of(' '));
    const std::string_view action = value_after(content, "Action: ", at);
    if (action == "failed") ++reported_[{id, recipient}];
  }
}

void Ledger::see_uid(const std::string& user, const std::string& folder, std::uint64_t validity,
                     std::uint32_t uid, std::string_view id) {
  const auto [found, is_new] = uids_.try_emplace({user, folder, validity, uid}, std::string(id));
  if (!is_new && found->second != id)
    violation(user + " " + folder + ": uid " + std::to_string(uid) + " was " + found->second +
              ", is now " + std::string(id));
}

void Ledger::see_all(const std::string& user, std::vector<Seen> messages) {
  mailboxes_[user] = std::move(messages);
}

void Ledger::deleted(const std::string& user, const std::string& id, Deletion how) {
  Deletion& deletion = deleted_.try_emplace({id, user}, how).first->second;
  deletion = std::max(deletion, how);
}

std::vector<std::string> Ledger::missing() const {
  std::vector<std::string> missing;
  std::map<Key, unsigned> local, reported = reported_away_;
  for (const auto& [user, messages] : mailboxes_) {
    for (const Seen& seen : messages) {
      if (!is_report(seen.content)) {
        ++local[{std::string(id_in(seen.content)), user}];
        continue;
      }
      Ledger scratch;
      scratch.read_report(seen.content);
      for (const auto& [key, count] : scratch.reported_) reported[key] += count;
    }
  }
  std::map<std::string, unsigned> nameless;
  std::set<std::string> damaged;
  for (const SentMail& mail : sent) {
    if (mail.fate != Fate::acknowledged) continue;
    for (const std::string& recipient : mail.recipients) {
      const Key key{mail.id, recipient};
      const bool there = local.contains(key) || deleted_.contains(key) || reported.contains(key) ||
                         remote_.contains(key);
      const bool is_told = !there && reported.contains({"", recipient}) &&
                           nameless[recipient]++ < reported[{"", recipient}];
      if (there || is_told) continue;
      damaged.insert(mail.id);
      if (damaged.size() > damages_max) missing.push_back(mail.id + " for " + recipient);
    }
  }
  return missing;
}

// A flipped bit costs one message at most, of whoever it was for.
void Ledger::lost(const SentMail& mail, const std::string& recipient) {
  damaged_.insert(mail.id);
  if (damaged_.size() > damages_max) violation(mail.id + " for " + recipient + ": LOST");
}

bool Ledger::may_repeat(const Key& key) const {
  if (tolerates_repeats) return true;
  const auto found = remote_.find(key);
  if (found == remote_.end()) return false;
  // All but the last must be such that the server could not know, or had no time to write it down.
  std::size_t explained = 0;
  for (const TakenMail* mail : found->second) {
    const bool before_crash = std::ranges::any_of(crashes, [&](Instant crash) {
      return crash >= mail->when && crash - mail->when <= in_flight;
    });
    explained += !mail->is_certain || before_crash;
  }
  return explained + 1 >= found->second.size() && explained > 0;
}

bool Ledger::may_bounce(const SentMail& mail, const std::string& recipient) const {
  static_cast<void>(mail);
  return is_bad(recipient) || expects_expiry;
}

void Ledger::check_local(const SentMail& mail, const std::string& recipient) {
  const Key key{mail.id, recipient};
  const auto found = local_.find(key);
  const unsigned copies = found == local_.end() ? 0 : found->second;
  const auto deletion = deleted_.find(key);
  const std::string what = mail.id + " for " + recipient;
  if (copies > 1) violation(what + ": delivered " + std::to_string(copies) + " times");
  if (mail.fate == Fate::refused && copies > 0) violation(what + ": was refused, yet delivered");
  if (deletion != deleted_.end()) {
    if (deletion->second == Deletion::done && copies > 0) violation(what + ": deleted, yet there");
    return;
  }
  if (mail.fate == Fate::acknowledged && copies == 0) lost(mail, recipient);
}

// A report whose original could not be read when it was written says whom it is about, not what.
bool Ledger::take_nameless_report(const std::string& recipient) {
  const auto found = reported_.find({"", recipient});
  if (found == reported_.end() || found->second == 0) return false;
  --found->second;
  return true;
}

void Ledger::check_remote(const SentMail& mail, const std::string& recipient) {
  const Key key{mail.id, recipient};
  const auto found = remote_.find(key);
  const std::size_t copies = found == remote_.end() ? 0 : found->second.size();
  std::size_t reports = 0;
  for (const std::map<Key, unsigned>* told : {&reported_, &reported_away_}) {
    const auto report = told->find(key);
    if (report != told->end()) reports += report->second;
  }
  const std::string what = mail.id + " for " + recipient;
  if (mail.fate == Fate::refused && copies + reports > 0)
    violation(what + ": was refused, yet sent on or returned");
  if (mail.fate == Fate::acknowledged && copies + reports == 0 && !take_nameless_report(recipient))
    lost(mail, recipient);
  if (reports > 0 && !may_bounce(mail, recipient)) violation(what + ": returned without a reason");
  if (copies > 1 && !may_repeat(key))
    violation(what + ": sent " + std::to_string(copies) + " times");
  if (copies > 0 && reports > 0 && !may_repeat(key))
    violation(what + ": delivered, and returned too");
  if (reports > 1 && crashes.empty() && !tolerates_repeats)
    violation(what + ": returned " + std::to_string(reports) + " times");
}

void Ledger::check() {
  index();
  local_.clear();
  reported_.clear();
  damaged_.clear();
  for (const auto& [user, messages] : mailboxes_) {
    for (const Seen& seen : messages) {
      if (is_report(seen.content)) {
        read_report(seen.content);
        continue;
      }
      const SentMail* original = find(id_in(seen.content));
      if (original == nullptr) {
        violation(user + " has mail that nobody sent: " + seen.content.substr(0, 200));
        continue;
      }
      check_content(seen.content, *original, user);
      if (std::ranges::find(original->recipients, user) == original->recipients.end())
        violation(original->id + ": delivered to " + user + ", who was never asked for");
      ++local_[{original->id, user}];
    }
  }
  for (const SentMail& mail : sent)
    for (const std::string& recipient : mail.recipients)
      is_local(recipient) ? check_local(mail, recipient) : check_remote(mail, recipient);
}

std::size_t Ledger::acknowledged() const {
  return static_cast<std::size_t>(std::ranges::count(sent, Fate::acknowledged, &SentMail::fate));
}

}  // namespace kurir::sim
