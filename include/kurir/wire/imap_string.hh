#pragma once
// A string argument of an IMAP command: a view into the command's buffer where the octets stand
// there as they are, an owned copy where escapes had to be undone. It must not outlive the buffer;
// own() makes a copy that may. Any core.

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace kurir::wire {

class ImapString {
 public:
  ImapString() = default;
  explicit ImapString(std::string_view borrowed) : octets_(borrowed) {}
  explicit ImapString(std::string owned) : octets_(std::move(owned)) {}

  std::string_view view() const {
    if (const auto* owned = std::get_if<std::string>(&octets_)) return *owned;
    return std::get<std::string_view>(octets_);
  }
  std::string own() const { return std::string(view()); }
  bool empty() const { return view().empty(); }

  friend bool operator==(const ImapString& a, const ImapString& b) { return a.view() == b.view(); }
  friend bool operator==(const ImapString& a, std::string_view b) { return a.view() == b; }

 private:
  std::variant<std::string_view, std::string> octets_;
};

}  // namespace kurir::wire
