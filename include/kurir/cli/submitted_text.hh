#pragma once
// What a program hands to sendmail, made into what SMTP carries: line ends, the header section.
// Pure; any thread.

#include <string>
#include <string_view>
#include <vector>

namespace kurir::cli {

// Gives every line its CRLF, whether it ended in LF, CRLF or a lone CR, and finds the end: the end
// of the input or, where dots count, a line that is nothing but a dot.
class LineEnds {
 public:
  explicit LineEnds(bool dot_ends) : dot_ends_(dot_ends) {}
  void feed(std::string_view octets, std::string& out);  // appends
  void finish(std::string& out);                         // the input ended
  bool ended() const { return ended_; }                  // by the dot; what follows it is not read
  bool is_8bit() const { return is_8bit_; }

 private:
  void take(char c, std::string& out);
  void end_line(std::string& out);

  bool dot_ends_, ended_ = false, is_8bit_ = false;
  bool at_line_start_ = true, has_dot_ = false, has_cr_ = false;
};

struct HeaderOptions {
  bool reads_recipients = false;  // -t
  std::string sender;             // the envelope's; empty: the null one
  std::string full_name;          // of the author, for a From that has to be made
  std::string hostname;           // for addresses without a domain, and the Message-ID
  std::string date;               // now, as a Date field has it
  std::string unique;             // left of the @ of a Message-ID that has to be made
};

struct SubmittedHeader {
  std::string text;                     // with the blank line at its end
  std::size_t octets_read = 0;          // of the input: where the body begins
  bool is_cut = false;                  // the input ended within the section
  std::vector<std::string> recipients;  // of To, Cc and Bcc, or of Resent-*; where they are read
};

// `input` is CRLF text from its first octet on, at least up to the end of its header section. What
// is no field ends the section, as a blank line does; text without any field has an empty one.
// Bcc, Return-Path and an mbox's "From " line are taken out; Date, Message-ID, From and, where
// nobody is addressed, To are added where they are missing.
SubmittedHeader complete_header(std::string_view input, const HeaderOptions& options);

// The address with the host's name, where it has no domain.
std::string qualified(std::string_view address, std::string_view hostname);

}  // namespace kurir::cli
