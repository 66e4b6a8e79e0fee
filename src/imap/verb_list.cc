// LIST and LSUB (RFC 9051 6.3.9, RFC 5258, RFC 5819, RFC 6154). What matches is copied out of the
// folder tree in one turn, then sent in pieces.

#include <algorithm>
#include <set>

#include "kurir/imap/server_session.hh"
#include "kurir/mailbox/folder_name.hh"
#include "names.hh"
#include "reply.hh"
#include "selected.hh"

namespace kurir::imap {
namespace {

namespace attribute = wire::mailbox_attribute;

struct Listed {
  std::string name;
  wire::MailboxAttributeWord attributes = 0;
  wire::SpecialUseWord use = 0;
  bool subscribed_children = false;
  Shared<mailbox::Mailbox> mailbox;  // for STATUS
};

class Patterns {
 public:
  // Patterns that are no names in any spelling match nothing.
  Patterns(std::string_view reference, const std::vector<wire::ImapString>& sent,
           wire::ImapNameEncoding encoding) {
    for (const wire::ImapString& one : sent) {
      const std::string whole = std::string(reference) + one.own();
      if (encoding == wire::ImapNameEncoding::utf8) {
        patterns_.emplace_back(whole);
      } else if (const auto decoded = wire::decode_modified_utf7(whole)) {
        patterns_.emplace_back(*decoded);
      }
    }
  }
  bool match(std::string_view name) const {
    return std::ranges::any_of(patterns_,
                               [&](const wire::ListPattern& one) { return one.matches(name); });
  }

 private:
  std::vector<wire::ListPattern> patterns_;
};

// The subscriptions below name, which stand together (folder_less).
struct Below {
  bool any = false;
  bool any_unmatched = false;  // by the patterns: the client would not hear of it otherwise
};
Below subscribed_below(const mailbox::FolderTree& tree, std::string_view name,
                       const Patterns& patterns) {
  Below below;
  auto one = std::ranges::upper_bound(tree.subscriptions, name, mailbox::folder_less);
  for (; one != tree.subscriptions.end() && mailbox::is_below(*one, name); ++one) {
    below.any = true;
    below.any_unmatched = below.any_unmatched || !patterns.match(*one);
    if (below.any_unmatched) break;
  }
  return below;
}

wire::MailboxAttributeWord attributes_of(const mailbox::FolderTree& tree,
                                         const mailbox::Folder* folder) {
  if (folder == nullptr) return attribute::nonexistent | attribute::no_select;
  const bool has_children = tree.has_children(*folder);
  wire::MailboxAttributeWord word =
      has_children ? attribute::has_children : attribute::has_no_children;
  if (!folder->mailbox) word |= attribute::nonexistent | attribute::no_select;
  return word;
}

class Lister {
 public:
  Lister(const mailbox::FolderTree& tree, const wire::ImapList& command, const Patterns& patterns)
      : tree_(tree), command_(command), patterns_(patterns) {}

  std::vector<Listed> all() const {
    std::vector<Listed> listed;
    for (const std::string_view name : candidates())
      if (patterns_.match(name)) add(listed, name);
    return listed;
  }

 private:
  bool selects(wire::ListWord option) const { return (command_.select & option) != 0; }

  // Names that exist, or are subscribed to, or lie above such.
  std::vector<std::string_view> candidates() const {
    std::vector<std::string_view> names;
    for (const mailbox::Folder& folder : tree_.folders) names.push_back(folder.name);
    if (!selects(wire::list::subscribed)) return names;
    for (const std::string_view name : tree_.subscriptions) {
      names.push_back(name);
      if (!selects(wire::list::recursive_match)) continue;
      for (std::string_view up = mailbox::parent_of(name); !up.empty(); up = mailbox::parent_of(up))
        names.push_back(up);
    }
    std::ranges::sort(names, mailbox::folder_less);
    const auto doubled = std::ranges::unique(names);
    names.erase(doubled.begin(), doubled.end());
    return names;
  }

  void add(std::vector<Listed>& listed, std::string_view name) const {
    const mailbox::Folder* folder = tree_.find(name);
    const bool subscribed = tree_.subscribed(name);
    Listed one;
    one.name = name;
    one.attributes = attributes_of(tree_, folder);
    if (folder != nullptr) one.use = use_word(folder->use);
    if (folder != nullptr) one.mailbox = folder->mailbox;
    bool wanted = !selects(wire::list::special_use) || one.use != 0;
    if (selects(wire::list::subscribed)) {
      Below below;
      if (selects(wire::list::recursive_match)) below = subscribed_below(tree_, name, patterns_);
      one.subscribed_children = below.any;
      wanted = wanted && (subscribed || below.any_unmatched);
    }
    const bool says_subscribed =
        selects(wire::list::subscribed) || (command_.returns & wire::list::subscribed) != 0;
    if (says_subscribed && subscribed) one.attributes |= attribute::subscribed;
    if (wanted) listed.push_back(std::move(one));
  }

  const mailbox::FolderTree& tree_;
  const wire::ImapList& command_;
  const Patterns& patterns_;
};

// RFC 3501 6.3.9: with "%" a name that is not subscribed stands for those below it.
std::vector<Listed> subscriptions(const mailbox::FolderTree& tree, const Patterns& patterns) {
  std::set<std::string, decltype(&mailbox::folder_less)> parents(&mailbox::folder_less);
  std::vector<Listed> listed;
  for (const std::string& name : tree.subscriptions) {
    if (patterns.match(name)) {
      listed.push_back({.name = name, .attributes = attributes_of(tree, tree.find(name))});
      listed.back().attributes &= attribute::has_children | attribute::has_no_children;
      continue;
    }
    for (std::string_view up = mailbox::parent_of(name); !up.empty(); up = mailbox::parent_of(up))
      if (patterns.match(up) && !tree.subscribed(up)) parents.emplace(up);
  }
  for (const std::string& name : parents)
    listed.push_back({.name = name, .attributes = attribute::no_select});
  return listed;
}

}  // namespace

Task<Reply> ServerSession::list(const wire::ImapCommand& command) {
  const auto& wanted = std::get<wire::ImapList>(command.action);
  if ((wanted.status & wire::status::mailbox_id) != 0) co_return bad("MAILBOXID is not offered");
  // Asks for the delimiter only (RFC 9051 6.3.9).
  const bool asks_delimiter = !wanted.extended && wanted.patterns[0].empty();
  if (asks_delimiter) {
    writer().list({.name = "", .attributes = attribute::no_select});
    co_return ok("LIST completed");
  }
  const Patterns patterns(wanted.reference.view(), wanted.patterns, encoding_);
  const std::vector<Listed> listed = Lister(account_->tree(), wanted, patterns).all();
  for (const Listed& one : listed) {
    writer().list({.name = one.name,
                   .attributes = one.attributes,
                   .use = one.use,
                   .subscribed_children = one.subscribed_children});
    if (wanted.status != 0 && one.mailbox) write_status(one.name, *one.mailbox, wanted.status);
    const Next next = co_await flush_when_full();
    if (next == Next::end) co_return dropped();
  }
  co_return ok("LIST completed");
}

Task<Reply> ServerSession::lsub(const wire::ImapCommand& command) {
  const auto& wanted = std::get<wire::ImapLsub>(command.action);
  const std::vector<wire::ImapString> sent = {wanted.pattern};
  const Patterns patterns(wanted.reference.view(), sent, encoding_);
  const std::vector<Listed> listed = subscriptions(account_->tree(), patterns);
  for (const Listed& one : listed) {
    writer().lsub({.name = one.name, .attributes = one.attributes});
    const Next next = co_await flush_when_full();
    if (next == Next::end) co_return dropped();
  }
  co_return ok("LSUB completed");
}

}  // namespace kurir::imap
