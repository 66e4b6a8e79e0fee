#include "reply.hh"

namespace kurir::imap {

Reply refusal(const Error& error, std::string_view subject) {
  namespace code = wire::imap_code;
  const std::string thing(subject);
  switch (error.code) {
    case Errc::not_found:
      return no(code::nonexistent, thing + " does not exist");
    case Errc::exists:
      return no(code::already_exists, thing + " exists already");
    case Errc::refused:
      return no(code::cannot, thing + " cannot be changed like that");
    case Errc::invalid:
      return no(code::cannot, thing + " cannot have that name");
    case Errc::exhausted:
    case Errc::too_large:
      return no(code::limit, thing + " would pass a limit of this server");
    case Errc::no_space:
      return no(code::unavailable, "The disk is full; try again later");
    default:
      break;
  }
  return no(code::unavailable, "Cannot do that now; try again later");
}

}  // namespace kurir::imap
