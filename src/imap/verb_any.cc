// Commands that concern the session only: CAPABILITY, NOOP, LOGOUT, ID, ENABLE, NAMESPACE.

#include <algorithm>
#include <array>

#include "kurir/imap/server_session.hh"
#include "kurir/wire/ascii.hh"
#include "reply.hh"
#include "selected.hh"

namespace kurir::imap {
namespace {

constexpr std::array always = {std::string_view("IMAP4rev1"), std::string_view("IMAP4rev2"),
                               std::string_view("LITERAL+"),  std::string_view("SASL-IR"),
                               std::string_view("ENABLE"),    std::string_view("ID"),
                               std::string_view("IDLE")};
constexpr std::array after_login = {
    std::string_view("UIDPLUS"),       std::string_view("UNSELECT"),
    std::string_view("MOVE"),          std::string_view("ESEARCH"),
    std::string_view("SEARCHRES"),     std::string_view("NAMESPACE"),
    std::string_view("CHILDREN"),      std::string_view("SPECIAL-USE"),
    std::string_view("LIST-EXTENDED"), std::string_view("LIST-STATUS"),
    std::string_view("STATUS=SIZE"),   std::string_view("WITHIN"),
    std::string_view("CONDSTORE"),     std::string_view("CREATE-SPECIAL-USE"),
    std::string_view("MULTIAPPEND")};

// Of auth::Mechanism, in its order.
constexpr std::array mechanism_names = {std::string_view("AUTH=SCRAM-SHA-256-PLUS"),
                                        std::string_view("AUTH=SCRAM-SHA-256"),
                                        std::string_view("AUTH=SCRAM-SHA-1-PLUS"),
                                        std::string_view("AUTH=SCRAM-SHA-1"),
                                        std::string_view("AUTH=EXTERNAL"),
                                        std::string_view("AUTH=OAUTHBEARER"),
                                        std::string_view("AUTH=XOAUTH2"),
                                        std::string_view("AUTH=PLAIN"),
                                        std::string_view("AUTH=LOGIN")};
static_assert(mechanism_names.size() == auth::mechanisms_count);

std::string_view capability_of(auth::Mechanism mechanism) {
  return mechanism_names[static_cast<std::size_t>(mechanism)];
}

}  // namespace

std::vector<std::string_view> ServerSession::capabilities() const {
  std::vector<std::string_view> names(always.begin(), always.end());
  if (!account_ && offers_tls()) names.push_back("STARTTLS");
  for (const auth::Mechanism mechanism : auth::all_mechanisms)
    if (!account_ && services_.authenticator.offers(mechanism, stream_))
      names.push_back(capability_of(mechanism));
  if (!account_ && !may_log_in_with_password()) names.push_back("LOGINDISABLED");
  if (account_) names.insert(names.end(), after_login.begin(), after_login.end());
  return names;
}

Task<Reply> ServerSession::capability(const wire::ImapCommand&) {
  writer().capability(capabilities());
  co_return ok("Capabilities told");
}

Task<Reply> ServerSession::noop(const wire::ImapCommand&) { co_return ok("NOOP completed"); }

Task<Reply> ServerSession::logout(const wire::ImapCommand&) {
  writer().condition("*", wire::ImapCondition::bye, {}, "Until next time");
  Reply reply = ok("LOGOUT completed");
  reply.then = Then::end;
  co_return reply;
}

Task<Reply> ServerSession::id(const wire::ImapCommand&) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 1> fields = {
      {{"name", "Kurir"}}};
  writer().id(fields);
  co_return ok("ID completed");
}

// RFC 5161; what is not known is passed over.
Task<Reply> ServerSession::enable(const wire::ImapCommand& command) {
  std::vector<std::string_view> enabled;
  for (const std::string_view name : std::get<wire::ImapEnable>(command.action).capabilities) {
    if (wire::equals_ignoring_case(name, "IMAP4rev2")) {
      revision2_ = true;
      encoding_ = wire::ImapNameEncoding::utf8;
      enabled.push_back("IMAP4rev2");
    }
    if (wire::equals_ignoring_case(name, "CONDSTORE")) {
      condstore_ = true;
      enabled.push_back("CONDSTORE");
    }
  }
  writer().enabled(enabled);
  co_return ok("ENABLE completed");
}

Task<Reply> ServerSession::name_space(const wire::ImapCommand&) {
  writer().personal_namespace();
  co_return ok("NAMESPACE completed");
}

}  // namespace kurir::imap
