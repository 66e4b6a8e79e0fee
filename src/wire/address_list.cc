#include "kurir/wire/address_list.hh"

#include <utility>

#include "mail_ascii.hh"
#include "rfc5322_lexer.hh"

namespace kurir::wire {

namespace {

constexpr std::string_view address_specials = "<>,;:@.[";

// One element of the list while its tokens arrive. Until "<", "@" or the end has been seen it may
// be a display name, an address or a group's name, so it is kept as all of them.
struct Element {
  std::string phrase{};
  std::size_t phrase_before_local =
      0;  // octets of the phrase before the word that local began with
  std::string local{};
  std::string domain{};
  std::string route{};
  std::string comment{};
  bool any = false;       // a token other than a comment was seen
  bool at_seen = false;   // "@": what follows is the domain
  bool in_angle = false;  // between "<" and ">"
  bool angle_seen = false;
  bool in_route = false;    // "<@" was seen, ":" not yet
  bool dot_before = false;  // the token before was "."
};

class ListParser {
 public:
  ListParser(AddressList& list, std::string_view value, std::size_t addresses_max)
      : list_(list), lexer_(value, address_specials), addresses_max_(addresses_max) {}

  void run() {
    while (!list_.cut) {
      LexToken token = lexer_.next();
      if (token.kind == LexKind::end) break;
      take(token);
    }
    finish_element();
    end_group();
  }

 private:
  void take(LexToken& token) {
    if (token.kind == LexKind::comment) {
      element_.comment = std::move(token.text);
    } else if (token.kind == LexKind::special) {
      take_special(token.special, token.after_space);
    } else {
      take_word(token);
    }
  }

  void take_special(char special, bool after_space) {
    if (special == '@' && element_.in_angle && !element_.at_seen && element_.local.empty())
      element_.in_route = true;
    if (element_.in_route && special != ':' && special != '>') {
      element_.route += special;
      return;
    }
    switch (special) {
      case ',':
        return finish_element();
      case ';':
        finish_element();
        return end_group();
      case ':':
        return element_.in_angle ? end_route() : begin_group();
      case '<':
        return begin_angle();
      case '>':
        return end_angle();
      default:
        return take_address_octet(special, after_space);  // "@", "."
    }
  }

  void take_word(const LexToken& token) {
    Element& e = element_;
    e.any = true;
    if (e.in_route) {
      e.route += token.text;
      return;
    }
    if (e.angle_seen && !e.in_angle) return;  // behind ">": nothing that an address could use
    if (!e.in_angle) {
      // Words with space between them can be no local part: the last may be one, the others are a
      // name that lacks its "<>".
      if (token.after_space && !e.dot_before && !e.at_seen) {
        e.phrase_before_local = e.phrase.size();
        e.local.clear();
      }
      if (token.after_space && !e.phrase.empty()) e.phrase += ' ';
      e.phrase += token.text;
    }
    (e.at_seen ? e.domain : e.local) += token.text;
    e.dot_before = false;
  }

  void take_address_octet(char special, bool after_space) {
    Element& e = element_;
    e.any = true;
    if (e.angle_seen && !e.in_angle) return;
    if (!e.in_angle) {
      if (after_space && !e.phrase.empty()) e.phrase += ' ';
      e.phrase += special;
    }
    e.dot_before = special == '.';
    if (special == '@' && !e.at_seen) {
      e.at_seen = true;
    } else {
      (e.at_seen ? e.domain : e.local) += special;
    }
  }

  void begin_angle() {
    Element& e = element_;
    e.any = true;
    if (e.angle_seen) return;
    e.angle_seen = e.in_angle = true;
    e.at_seen = e.dot_before = false;
    e.local.clear();
    e.domain.clear();
  }

  void end_angle() {
    Element& e = element_;
    if (!e.in_angle) return;
    e.in_angle = false;
    if (!e.in_route) return;
    // "<@domain>": not a route but an address without a local part.
    e.in_route = false;
    e.domain = e.route.substr(e.route.rfind('@') + 1);
    e.route.clear();
  }

  void end_route() {
    if (element_.in_route) {
      element_.in_route = false;
    } else {
      take_address_octet(':', false);
    }
  }

  void begin_group() {
    if (in_group_) end_group();
    ListedAddress begin;
    begin.kind = AddressKind::group_begin;
    begin.display_name = std::move(element_.phrase);
    element_ = {};
    in_group_ = add(std::move(begin));
  }

  void end_group() {
    if (!in_group_) return;
    in_group_ = false;
    ListedAddress end;
    end.kind = AddressKind::group_end;
    add(std::move(end));
  }

  void finish_element() {
    if (!element_.any) return element_.comment.clear();
    Element e = std::exchange(element_, {});
    if (e.in_route) {  // no ">": as in end_angle()
      e.domain = e.route.substr(e.route.rfind('@') + 1);
      e.route.clear();
    }
    ListedAddress address;
    if (e.angle_seen) {
      address.display_name = std::move(e.phrase);
    } else if (e.at_seen) {
      e.phrase.resize(e.phrase_before_local);
      address.display_name = std::move(e.phrase);
    } else {
      e.local = std::move(e.phrase);
    }
    if (address.display_name.empty()) address.display_name = std::move(e.comment);
    address.route = std::move(e.route);
    address.local_part = std::move(e.local);
    address.domain = std::move(e.domain);
    add(std::move(address));
  }

  bool add(ListedAddress address) {
    list_.cut = list_.cut || list_.addresses.size() >= addresses_max_;
    if (!list_.cut) list_.addresses.push_back(std::move(address));
    return !list_.cut;
  }

  AddressList& list_;
  Rfc5322Lexer lexer_;
  std::size_t addresses_max_;
  Element element_{};
  bool in_group_ = false;
};

}  // namespace

void append_address_list(AddressList& list, std::string_view value, std::size_t addresses_max) {
  ListParser(list, value, addresses_max).run();
}

AddressList parse_address_list(std::string_view value, std::size_t addresses_max) {
  AddressList list;
  append_address_list(list, value, addresses_max);
  return list;
}

}  // namespace kurir::wire
