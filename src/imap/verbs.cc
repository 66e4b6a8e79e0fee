#include "verbs.hh"

#include <algorithm>
#include <array>
#include <variant>

namespace kurir::imap {
namespace {

template <class Action, class Variant>
struct IndexOf;
template <class Action, class... Rest>
struct IndexOf<Action, std::variant<Action, Rest...>> {
  static constexpr std::size_t value = 0;
};
template <class Action, class First, class... Rest>
struct IndexOf<Action, std::variant<First, Rest...>> {
  static constexpr std::size_t value = 1 + IndexOf<Action, std::variant<Rest...>>::value;
};

template <class Action>
constexpr std::size_t index_of = IndexOf<Action, wire::ImapAction>::value;

}  // namespace

const VerbTable::Row* VerbTable::find(const wire::ImapAction& action) {
  using enum Needs;
  using Session = ServerSession;
  using enum Updates;
  static constexpr std::array rows = {
      Row{index_of<wire::ImapCapability>, nothing, all, &Session::capability},
      Row{index_of<wire::ImapNoop>, nothing, all, &Session::noop},
      Row{index_of<wire::ImapLogout>, nothing, none, &Session::logout},
      Row{index_of<wire::ImapId>, nothing, all, &Session::id},
      Row{index_of<wire::ImapStartTls>, no_login, none, &Session::starttls},
      Row{index_of<wire::ImapLogin>, no_login, none, &Session::login},
      Row{index_of<wire::ImapAuthenticate>, no_login, none, &Session::authenticate},
      Row{index_of<wire::ImapEnable>, login, all, &Session::enable},
      Row{index_of<wire::ImapSelect>, login, none, &Session::select},
      Row{index_of<wire::ImapCreate>, login, all, &Session::create},
      Row{index_of<wire::ImapDelete>, login, all, &Session::remove},
      Row{index_of<wire::ImapRename>, login, all, &Session::rename},
      Row{index_of<wire::ImapSubscribe>, login, all, &Session::subscribe},
      Row{index_of<wire::ImapUnsubscribe>, login, all, &Session::unsubscribe},
      Row{index_of<wire::ImapList>, login, all, &Session::list},
      Row{index_of<wire::ImapLsub>, login, all, &Session::lsub},
      Row{index_of<wire::ImapNamespace>, login, all, &Session::name_space},
      Row{index_of<wire::ImapStatus>, login, all, &Session::status},
      Row{index_of<wire::ImapAppend>, login, all, &Session::whole_append},
      Row{index_of<wire::ImapIdle>, login, all, &Session::idle},
      Row{index_of<wire::ImapCheck>, selected, all, &Session::check},
      Row{index_of<wire::ImapClose>, selected, none, &Session::close},
      Row{index_of<wire::ImapUnselect>, selected, none, &Session::unselect},
      Row{index_of<wire::ImapExpunge>, selected, all, &Session::expunge},
      Row{index_of<wire::ImapSearch>, selected, no_expunges, &Session::search},
      Row{index_of<wire::ImapFetch>, selected, no_expunges, &Session::fetch},
      Row{index_of<wire::ImapStore>, selected, no_expunges, &Session::store},
      Row{index_of<wire::ImapCopy>, selected, all, &Session::copy},
      Row{index_of<wire::ImapMove>, selected, all, &Session::move},
  };
  const auto row = std::ranges::find(rows, action.index(), &Row::action);
  return row == rows.end() ? nullptr : &*row;
}

mailbox::Expunges expunges_of(Updates updates, const wire::ImapAction& action) {
  if (updates == Updates::all) return mailbox::Expunges::tell;
  const bool by_uid = std::visit(
      [](const auto& one) {
        if constexpr (requires { one.numbering; }) return one.numbering == wire::ImapNumbering::uid;
        return false;
      },
      action);
  return by_uid ? mailbox::Expunges::tell : mailbox::Expunges::hold;
}

}  // namespace kurir::imap
