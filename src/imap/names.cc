#include "names.hh"

namespace kurir::imap {

std::expected<std::string, Reply> decode_name(std::string_view sent,
                                              wire::ImapNameEncoding encoding) {
  auto name = wire::decode_mailbox_name(sent, encoding);
  if (name) return *std::move(name);
  return std::unexpected(
      no(wire::imap_code::cannot, std::string(wire::imap_name_fault_text(name.error()))));
}

std::expected<Shared<mailbox::Mailbox>, Reply> find_mailbox(const mailbox::Account& account,
                                                            const std::string& name,
                                                            std::string_view missing) {
  const mailbox::Folder* folder = account.tree().find(name);
  if (folder == nullptr) return std::unexpected(no(missing, "There is no such mailbox"));
  if (!folder->mailbox)
    return std::unexpected(no(missing, "That is only a name with mailboxes below it"));
  return folder->mailbox;
}

wire::SpecialUseWord use_word(mailbox::SpecialUse use) {
  switch (use) {
    case mailbox::SpecialUse::none:
      break;
    case mailbox::SpecialUse::all:
      return wire::special_use::all;
    case mailbox::SpecialUse::archive:
      return wire::special_use::archive;
    case mailbox::SpecialUse::drafts:
      return wire::special_use::drafts;
    case mailbox::SpecialUse::flagged:
      return wire::special_use::flagged;
    case mailbox::SpecialUse::junk:
      return wire::special_use::junk;
    case mailbox::SpecialUse::sent:
      return wire::special_use::sent;
    case mailbox::SpecialUse::trash:
      return wire::special_use::trash;
  }
  return 0;
}

}  // namespace kurir::imap
