#pragma once
// From what a client calls a mailbox to the mailbox. Private to imap/.

#include <expected>
#include <string>
#include <string_view>

#include "kurir/base/shared.hh"
#include "kurir/mailbox/account.hh"
#include "kurir/wire/imap_name.hh"
#include "reply.hh"

namespace kurir::imap {

// The name in UTF-8, or why it cannot be one.
std::expected<std::string, Reply> decode_name(std::string_view sent,
                                              wire::ImapNameEncoding encoding);
// missing: the code where there is no such mailbox, TRYCREATE where making it would help.
std::expected<Shared<mailbox::Mailbox>, Reply> find_mailbox(const mailbox::Account& account,
                                                            const std::string& name,
                                                            std::string_view missing);
wire::SpecialUseWord use_word(mailbox::SpecialUse use);

}  // namespace kurir::imap
