// LIST with its extensions (RFC 9051 6.3.9, RFC 5258, RFC 5819, RFC 6154) and LSUB (RFC
// 3501 6.3.9).

#include <algorithm>

#include "kurir/imap/server_session.hh"

namespace kurir::imap {
namespace {

// A pattern as the client meant it: names in it may be in modified UTF-7.
std::string decode_pattern(std::string_view sent, wire::ImapNameEncoding encoding) {
  if (encoding == wire::ImapNameEncoding::utf8) return std::string(sent);
  return wire::decode_modified_utf7(sent).value_or(std::string(sent));
}

wire::SpecialUseWord use_of(const mailbox::Folder& folder) {
  if (folder.use == mailbox::SpecialUse::none) return 0;
  return static_cast<wire::SpecialUseWord>(1U << (static_cast<unsigned>(folder.use) - 1));
}

class Lister {
 public:
  Lister(const mailbox::FolderTree& tree, std::vector<wire::ListPattern> patterns)
      : tree_(tree), patterns_(std::move(patterns)) {}

  bool matches(std::string_view name) const {
    return std::ranges::any_of(
        patterns_, [&](const wire::ListPattern& pattern) { return pattern.matches(name); });
  }
  bool has_subscribed_children(std::string_view name) const {
    const std::string below = std::string(name) + "/";
    return std::ranges::any_of(tree_.subscriptions,
                               [&](const std::string& other) { return other.starts_with(below); });
  }
  wire::ImapListEntry describe(std::string_view name) const {
    using namespace wire::mailbox_attribute;
    wire::ImapListEntry entry;
    entry.name = name;
    const mailbox::Folder* folder = tree_.find(name);
    if (folder == nullptr) {
      entry.attributes = nonexistent | no_select;
      return entry;
    }
    entry.attributes = tree_.has_children(*folder) ? has_children : has_no_children;
    if (!folder->mailbox) entry.attributes |= nonexistent | no_select;
    entry.use = use_of(*folder);
    return entry;
  }

 private:
  const mailbox::FolderTree& tree_;
  std::vector<wire::ListPattern> patterns_;
};

}  // namespace

// Runs within one turn: the tree is looked at where it lies.
ServerSession::Step ServerSession::on(const wire::ImapList& command) {
  const bool only_delimiter =
      command.patterns.size() == 1 && command.patterns.front().view().empty();
  if (only_delimiter) {
    wire::ImapListEntry root;
    root.attributes = wire::mailbox_attribute::no_select;
    writer().list(root);
    co_return ok("LIST completed");
  }
  std::vector<wire::ListPattern> patterns;
  for (const wire::ImapString& pattern : command.patterns)
    patterns.emplace_back(decode_pattern(
        std::string(command.reference.view()) + std::string(pattern.view()), encoding()));
  const mailbox::FolderTree& tree = user_->folders->tree();
  const Lister lister(tree, std::move(patterns));
  const bool select_subscribed = (command.select & wire::list::subscribed) != 0;
  std::vector<std::string> names;
  for (const mailbox::Folder& folder : tree.folders) names.push_back(folder.name);
  if (select_subscribed)
    for (const std::string& name : tree.subscriptions)
      if (tree.find(name) == nullptr) names.push_back(name);
  for (const std::string& name : names) {
    if (!lister.matches(name)) continue;
    wire::ImapListEntry entry = lister.describe(name);
    const bool subscribed = tree.subscribed(name);
    const bool recursive = (command.select & wire::list::recursive_match) != 0;
    entry.subscribed_children =
        select_subscribed && recursive && lister.has_subscribed_children(name);
    if (select_subscribed && !subscribed && !entry.subscribed_children) continue;
    if ((command.select & wire::list::special_use) != 0 && entry.use == 0) continue;
    if (subscribed && (select_subscribed || (command.returns & wire::list::subscribed) != 0))
      entry.attributes |= wire::mailbox_attribute::subscribed;
    writer().list(entry);
    const mailbox::Folder* folder = tree.find(name);
    if (command.status != 0 && folder != nullptr && folder->mailbox)
      write_status(name, *folder->mailbox, command.status);
  }
  tell_updates(mailbox::Expunges::tell);
  co_return ok("LIST completed");
}

ServerSession::Step ServerSession::on(const wire::ImapLsub& command) {
  const std::string text =
      std::string(command.reference.view()) + std::string(command.pattern.view());
  std::vector<wire::ListPattern> patterns;
  patterns.emplace_back(decode_pattern(text, encoding()));
  const mailbox::FolderTree& tree = user_->folders->tree();
  const Lister lister(tree, std::move(patterns));
  for (const std::string& name : tree.subscriptions) {
    if (!lister.matches(name)) continue;
    wire::ImapListEntry entry = lister.describe(name);
    entry.attributes &= wire::mailbox_attribute::no_select;
    entry.use = 0;
    writer().lsub(entry);
  }
  co_return ok("LSUB completed");
}

}  // namespace kurir::imap
