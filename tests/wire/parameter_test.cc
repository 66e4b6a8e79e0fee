#include "kurir/wire/parameter.hh"

#include <gtest/gtest.h>

#include "kurir/base/limits.hh"
#include "support/feed_all_ways.hh"

namespace kurir::wire {
namespace {

// "value;name=value;name*=value", and each decoded value behind " -> " where it differs.
std::string text_of(const ParameterizedValue& parsed) {
  std::string text = parsed.value;
  for (const MimeParameter& parameter : parsed.parameters) {
    text += ";" + parameter.name + (parameter.extended ? "*=" : "=") + parameter.value;
    const std::string decoded = parameter.decoded();
    if (decoded != parameter.value) text += " -> " + decoded;
  }
  return text;
}

struct Row {
  std::string_view value, text;
};
constexpr Row rows[] = {
    {"", ""},
    {" text/plain", "text/plain"},
    {"text / plain (comment) ; charset=utf-8", "text/plain;charset=utf-8"},
    {"text/plain;CharSet=\"us-ascii\" (Plain text);", "text/plain;CharSet=us-ascii"},
    {"a/b;x=\"a \\\" ; b\";y=2", "a/b;x=a \" ; b;y=2"},
    {"a/b; name=my file.txt; y = 2", "a/b;name=my file.txt;y=2"},
    {"a/b; boundary=a=b==; c", "a/b;boundary=a=b=="},
    {"a/b; boundary=\"--=_1:/?\"", "a/b;boundary=--=_1:/?"},
    {"a/b;; ;=x;n=", "a/b;n="},
    {"a/b; n=\"open", "a/b;n=open"},
    {"inline; filename==?utf-8?q?=C3=BC?=", "inline;filename==?utf-8?q?=C3=BC?= -> \xC3\xBC"},
    // RFC 2231.
    {"a/b; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
     "a/b;title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A -> This is ***fun***"},
    {"a/b; URL*0=\"ftp://\"; URL*1=\"cs.utk.edu\"", "a/b;url=ftp://cs.utk.edu"},
    {"a/b; t*1*=%2A; t*0*=us-ascii'en'a%20; t*2=\"isn't it!\"",
     "a/b;t*=us-ascii'en'a%20%2Aisn%27t%20it%21 -> a *isn't it!"},
    {"a/b; t*0=a; t*1*=%41", "a/b;t*=''a%41 -> aA"},
    {"a/b; t*0=a; t*2=c; t*3=d", "a/b;t=a"},
    {"a/b; t*1=b", "a/b"},
    {"a/b; t*0=a; t*0=b; t*1=c", "a/b;t=a"},
    {"a/b; t*x=1; *=2; *0=3", "a/b;t*x=1;*=2;*0=3"},
    {"a/b; t*99999999999=1", "a/b;t*99999999999=1"},
    {"a/b; t*=iso-8859-1''%E9%zz%", "a/b;t*=iso-8859-1''%E9%zz% -> \xC3\xA9%zz%"},
    {"a/b; t*=no-quotes%20", "a/b;t*=no-quotes%20 -> no-quotes "},
};

TEST(Parameter, reads_values_with_parameters) {
  for (const Row& row : rows) {
    test::feed_guarded(
        row.value, [](std::string_view value) { return text_of(parse_parameterized(value)); },
        [&](const std::string& text) { EXPECT_EQ(text, row.text) << row.value; });
  }
}

TEST(Parameter, finds_without_regard_to_case) {
  const ParameterizedValue parsed = parse_parameterized("a/b; Boundary=x; boundary=y");
  ASSERT_NE(parsed.find("BOUNDARY"), nullptr);
  EXPECT_EQ(parsed.find("BOUNDARY")->value, "x");
  EXPECT_EQ(parsed.find("bound"), nullptr);
}

TEST(Parameter, count_is_bounded) {
  std::string value = "a/b";
  for (int i = 0; i < 5000; ++i) value += ";a*" + std::to_string(i) + "=x";
  const ParameterizedValue parsed = parse_parameterized(value);
  ASSERT_EQ(parsed.parameters.size(), 1u);
  EXPECT_EQ(parsed.parameters[0].value, std::string(limits::mime_parameters_max, 'x'));
}

}  // namespace
}  // namespace kurir::wire
