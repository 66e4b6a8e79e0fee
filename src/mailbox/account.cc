#include "kurir/mailbox/account.hh"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "kurir/base/assert.hh"
#include "kurir/base/limits.hh"
#include "kurir/mailbox/folder_name.hh"

namespace kurir::mailbox {
namespace {

constexpr std::uint32_t validity_max = ~std::uint32_t{0};

// The first is the time, so that it differs from those of an account that was lost. From then on
// they rise one by one, whatever the clock does.
UidValidity validity_after(UidValidity last, WallTime now) {
  if (last != UidValidity(0)) {
    KURIR_ASSERT(last.value < validity_max);
    return UidValidity(last.value + 1);
  }
  return UidValidity(
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(now.seconds(), 1, validity_max / 2)));
}

std::size_t place_of(const FolderTree& tree, std::string_view name) {
  const auto place = std::ranges::lower_bound(tree.folders, name, folder_less, &Folder::name);
  return static_cast<std::size_t>(place - tree.folders.begin());
}

void sort_folders(FolderTree& tree) { std::ranges::sort(tree.folders, folder_less, &Folder::name); }

// A name without a mailbox stays only while folders are below it. From the end: children go before
// their parent.
void prune_names(FolderTree& tree) {
  for (std::size_t index = tree.folders.size(); index-- > 0;) {
    const Folder& folder = tree.folders[index];
    if (!folder.mailbox && !tree.has_children(folder))
      tree.folders.erase(tree.folders.begin() + index);
  }
}

std::string renamed(const std::string& name, const std::string& from, const std::string& to) {
  return to + name.substr(from.size());
}

bool levels_fit(std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count(name, level_delimiter)) <
         limits::mailbox_levels_max;
}

// What would come of the folder and those below it.
Result<void> check_rename(const FolderTree& tree, const std::string& from, const std::string& to) {
  if (tree.find(to) != nullptr) return fail(Errc::exists, Origin::mailbox);
  if (from == inbox_name) return {};
  if (is_below(to, from)) return fail(Errc::invalid, Origin::mailbox);
  for (const Folder& folder : tree.folders) {
    if (!is_below(folder.name, from)) continue;
    const std::string name = renamed(folder.name, from, to);
    if (name.size() > limits::mailbox_name_octets_max || !levels_fit(name))
      return fail(Errc::invalid, Origin::mailbox);
  }
  return {};
}

}  // namespace

const Folder* FolderTree::find(std::string_view name) const {
  const std::size_t place = place_of(*this, name);
  return place < folders.size() && folders[place].name == name ? &folders[place] : nullptr;
}

const Folder* FolderTree::find(MailboxId id) const {
  const auto found = std::ranges::find_if(
      folders, [&](const Folder& folder) { return folder.mailbox && folder.mailbox->id() == id; });
  return found == folders.end() ? nullptr : &*found;
}

const Folder* FolderTree::find(SpecialUse use) const {
  const auto found = std::ranges::find(folders, use, &Folder::use);
  return found == folders.end() ? nullptr : &*found;
}

bool FolderTree::subscribed(std::string_view name) const {
  return std::ranges::binary_search(subscriptions, name, folder_less);
}

bool FolderTree::has_children(const Folder& folder) const {
  const auto index = static_cast<std::size_t>(&folder - folders.data());
  KURIR_ASSERT(index < folders.size());
  return index + 1 < folders.size() && is_below(folders[index + 1].name, folder.name);
}

Account::Account(AccountId id) : id_(id), tree_(new FolderTree()) {}

Account::~Account() { delete tree_.load(std::memory_order_relaxed); }

NewFolder Account::new_folder(std::string_view name, SpecialUse use, WallTime now) {
  mailbox_last_ = MailboxId(mailbox_last_.value + 1);
  validity_last_ = validity_after(validity_last_, now);
  return {.id = mailbox_last_, .validity = validity_last_, .use = use, .name = std::string(name)};
}

// The ancestors that name lacks, outermost first (RFC 9051 6.3.4).
Result<std::vector<NewFolder>> Account::plan_parents(std::string_view name, WallTime now) {
  std::vector<std::string_view> lacking;
  for (std::string_view parent = parent_of(name); !parent.empty(); parent = parent_of(parent))
    if (tree().find(parent) == nullptr) lacking.push_back(parent);
  const bool too_many = tree().folders.size() + lacking.size() + 1 > limits::mailbox_folders_max;
  if (too_many || validity_last_.value > validity_max - limits::mailbox_levels_max)
    return fail(Errc::exhausted, Origin::mailbox);
  std::vector<NewFolder> folders;
  for (auto parent = lacking.rbegin(); parent != lacking.rend(); ++parent)
    folders.push_back(new_folder(*parent, SpecialUse::none, now));
  return folders;
}

Result<FoldersCreated> Account::plan_create(std::string_view name, SpecialUse use, WallTime now) {
  const std::optional<std::string> stored = folder_name(name);
  if (!stored) return fail(Errc::invalid, Origin::mailbox);
  const Folder* folder = tree().find(*stored);
  if (folder != nullptr && folder->mailbox) return fail(Errc::exists, Origin::mailbox);
  Result<std::vector<NewFolder>> folders = plan_parents(*stored, now);
  if (!folders) return std::unexpected(folders.error());
  folders->push_back(new_folder(*stored, use, now));
  return FoldersCreated{.account = id_, .folders = *std::move(folders)};
}

Result<FolderDeleted> Account::plan_delete(std::string_view name) const {
  const std::optional<std::string> stored = folder_name(name);
  if (!stored) return fail(Errc::not_found, Origin::mailbox);
  const Folder* folder = tree().find(*stored);
  if (folder == nullptr) return fail(Errc::not_found, Origin::mailbox);
  if (*stored == inbox_name || !folder->mailbox) return fail(Errc::refused, Origin::mailbox);
  return FolderDeleted{.account = id_, .mailbox = folder->mailbox->id()};
}

Result<FolderRenamed> Account::plan_rename(std::string_view from, std::string_view to,
                                           WallTime now) {
  const std::optional<std::string> stored_from = folder_name(from);
  const std::optional<std::string> stored_to = folder_name(to);
  if (!stored_from || tree().find(*stored_from) == nullptr)
    return fail(Errc::not_found, Origin::mailbox);
  if (!stored_to) return fail(Errc::invalid, Origin::mailbox);
  const Result<void> possible = check_rename(tree(), *stored_from, *stored_to);
  if (!possible) return std::unexpected(possible.error());
  Result<std::vector<NewFolder>> created = plan_parents(*stored_to, now);
  if (!created) return std::unexpected(created.error());
  // All messages of INBOX move to the new name, and INBOX is there again, empty (RFC 9051 6.3.6).
  if (*stored_from == inbox_name) created->push_back(new_folder(inbox_name, SpecialUse::none, now));
  return FolderRenamed{
      .account = id_, .from = *stored_from, .to = *stored_to, .created = *std::move(created)};
}

Result<SubscriptionChanged> Account::plan_subscription(std::string_view name,
                                                       bool subscribed) const {
  const std::optional<std::string> stored = folder_name(name);
  if (!stored) return fail(Errc::invalid, Origin::mailbox);
  if (subscribed && tree().subscriptions.size() >= limits::mailbox_subscriptions_max)
    return fail(Errc::exhausted, Origin::mailbox);
  return SubscriptionChanged{.account = id_, .subscribed = subscribed, .name = *stored};
}

void Account::add(FolderTree& tree, const NewFolder& folder) {
  mailbox_last_ = std::max(mailbox_last_, folder.id);
  validity_last_ = std::max(validity_last_, folder.validity);
  Folder added{.name = folder.name, .use = folder.use, .mailbox = {}};
  if (folder.id != MailboxId(0))
    added.mailbox = Shared<Mailbox>::adopt(new Mailbox(folder.id, folder.validity));
  const std::size_t place = place_of(tree, folder.name);
  if (place == tree.folders.size() || tree.folders[place].name != folder.name) {
    tree.folders.insert(tree.folders.begin() + place, std::move(added));
  } else if (!tree.folders[place].mailbox) {
    tree.folders[place] = std::move(added);
  }
}

void Account::apply(const AccountCreated& change, RetireQueue& retired) {
  mailbox_last_ = std::max(mailbox_last_, change.mailbox_last);
  validity_last_ = std::max(validity_last_, change.validity_last);
  apply(FoldersCreated{.account = id_, .folders = change.folders}, retired);
}

void Account::apply(const FoldersCreated& change, RetireQueue& retired) {
  FolderTree next = tree();
  for (const NewFolder& folder : change.folders) add(next, folder);
  publish(std::move(next), retired);
}

Result<void> Account::apply(const FolderDeleted& change, RetireQueue& retired) {
  FolderTree next = tree();
  const Folder* found = next.find(change.mailbox);
  if (found == nullptr) return fail(Errc::not_found, Origin::mailbox);
  Folder& folder = next.folders[static_cast<std::size_t>(found - next.folders.data())];
  Mailbox& mailbox = *folder.mailbox;
  change_used(-std::uint64_t{mailbox.messages()}, -mailbox.octets());
  mailbox.close();
  folder.mailbox = {};
  folder.use = SpecialUse::none;
  prune_names(next);
  publish(std::move(next), retired);
  return {};
}

Result<void> Account::apply(const FolderRenamed& change, RetireQueue& retired) {
  FolderTree next = tree();
  if (next.find(change.from) == nullptr || next.find(change.to) != nullptr)
    return fail(Errc::not_found, Origin::mailbox);
  const bool inbox = change.from == inbox_name;
  for (Folder& folder : next.folders)
    if (folder.name == change.from || (!inbox && is_below(folder.name, change.from)))
      folder.name = renamed(folder.name, change.from, change.to);
  sort_folders(next);
  for (const NewFolder& folder : change.created) add(next, folder);
  prune_names(next);
  publish(std::move(next), retired);
  return {};
}

void Account::apply(const SubscriptionChanged& change, RetireQueue& retired) {
  if (tree().subscribed(change.name) == change.subscribed) return;
  FolderTree next = tree();
  const auto place = std::ranges::lower_bound(next.subscriptions, change.name, folder_less);
  if (change.subscribed) {
    next.subscriptions.insert(place, change.name);
  } else {
    next.subscriptions.erase(place);
  }
  publish(std::move(next), retired);
}

void Account::count(const Mailbox& mailbox, std::uint32_t messages_before,
                    std::uint64_t octets_before) {
  change_used(std::uint64_t{mailbox.messages()} - messages_before,
              mailbox.octets() - octets_before);
}

void Account::close() {
  for (const Folder& folder : tree().folders)
    if (folder.mailbox) folder.mailbox->close();
  closed_.store(true, std::memory_order_release);
}

// Unsigned on purpose: less is more by wrapping, and only the owner writes.
void Account::change_used(std::uint64_t messages_more, std::uint64_t octets_more) {
  used_messages_.store(used_messages() + messages_more, std::memory_order_relaxed);
  used_octets_.store(used_octets() + octets_more, std::memory_order_relaxed);
}

void Account::publish(FolderTree tree, RetireQueue& retired) {
  const FolderTree* before = tree_.load(std::memory_order_relaxed);
  tree_.store(new FolderTree(std::move(tree)), std::memory_order_release);
  retired.retire(std::unique_ptr<const FolderTree>(before));
}

std::vector<Change> plan_account(AccountId account, WallTime now) {
  constexpr std::pair<std::string_view, SpecialUse> folders[] = {
      {inbox_name, SpecialUse::none}, {"Drafts", SpecialUse::drafts},
      {"Sent", SpecialUse::sent},     {"Archive", SpecialUse::archive},
      {"Junk", SpecialUse::junk},     {"Trash", SpecialUse::trash}};
  AccountCreated created{
      .account = account, .mailbox_last = {}, .validity_last = {}, .folders = {}};
  std::vector<Change> changes;
  for (const auto& [name, use] : folders) {
    created.mailbox_last = MailboxId(created.mailbox_last.value + 1);
    created.validity_last = validity_after(created.validity_last, now);
    created.folders.push_back({.id = created.mailbox_last,
                               .validity = created.validity_last,
                               .use = use,
                               .name = std::string(name)});
    changes.push_back(
        SubscriptionChanged{.account = account, .subscribed = true, .name = std::string(name)});
  }
  changes.insert(changes.begin(), std::move(created));
  return changes;
}

}  // namespace kurir::mailbox
