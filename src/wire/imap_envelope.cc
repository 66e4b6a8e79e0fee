#include <algorithm>
#include <array>

#include "imap_text.hh"
#include "kurir/base/limits.hh"
#include "kurir/wire/address_list.hh"
#include "kurir/wire/header.hh"
#include "kurir/wire/imap_structure.hh"

namespace kurir::wire {

namespace {

struct TextField {
  std::string_view name;
  std::string text{};
  bool present = false;
};

struct AddressField {
  std::string_view name;
  AddressList list{};
};

// What one walk over the header finds.
struct Envelope {
  std::array<TextField, 4> texts = {
      {{.name = "Date"}, {.name = "Subject"}, {.name = "In-Reply-To"}, {.name = "Message-ID"}}};
  std::array<AddressField, 6> addresses = {{{.name = "From"},
                                            {.name = "Sender"},
                                            {.name = "Reply-To"},
                                            {.name = "To"},
                                            {.name = "Cc"},
                                            {.name = "Bcc"}}};

  void take(const HeaderField& field) {
    for (TextField& text : texts) {
      if (text.present || !field.is(text.name)) continue;
      text.present = true;
      text.text = unfold(field.value);
    }
    for (AddressField& address : addresses) {
      if (field.is(address.name)) append_address_list(address.list, field.value);
    }
  }
};

void append_address(ImapWriter& writer, const ListedAddress& address) {
  writer.raw("(");
  switch (address.kind) {
    case AddressKind::mailbox:
      append_text_or_nil(writer, address.display_name);
      append_text_or_nil(writer.raw(" "), address.route);
      // NIL here would mean a group, even where the address has nothing.
      append_text(writer.raw(" "), address.local_part);
      append_text(writer.raw(" "), address.domain);
      break;
    case AddressKind::group_begin:
      writer.raw("NIL NIL ");
      append_text(writer, address.display_name);
      writer.raw(" NIL");
      break;
    case AddressKind::group_end:
      writer.raw("NIL NIL NIL NIL");
      break;
  }
  writer.raw(")");
}

void append_addresses(ImapWriter& writer, const AddressList& list) {
  if (list.addresses.empty()) {
    writer.raw("NIL");
    return;
  }
  writer.raw("(");
  for (const ListedAddress& address : list.addresses) append_address(writer, address);
  writer.raw(")");
}

void append_text_field(ImapWriter& writer, const TextField& field) {
  if (field.present) {
    append_text(writer, field.text);
  } else {
    writer.raw("NIL");
  }
}

}  // namespace

void append_envelope(ImapWriter& writer, std::string_view header) {
  Envelope envelope;
  HeaderReader reader(header.substr(0, limits::header_octets_max));
  while (const auto field = reader.next()) envelope.take(*field);

  const auto& [date, subject, in_reply_to, message_id] = envelope.texts;
  append_text_field(writer.raw("("), date);
  append_text_field(writer.raw(" "), subject);
  const AddressList& from = envelope.addresses[0].list;
  for (std::size_t i = 0; i < envelope.addresses.size(); ++i) {
    const AddressList& own = envelope.addresses[i].list;
    const bool sender_or_reply_to = i == 1 || i == 2;
    append_addresses(writer.raw(" "), sender_or_reply_to && own.addresses.empty() ? from : own);
  }
  append_text_field(writer.raw(" "), in_reply_to);
  append_text_field(writer.raw(" "), message_id);
  writer.raw(")");
}

}  // namespace kurir::wire
