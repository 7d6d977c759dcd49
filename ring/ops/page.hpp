// The status page: three texts that the build takes from ring/ops/page/ into the program.
#pragma once

#include <string_view>

namespace anel::page {

extern const std::string_view html;
extern const std::string_view script;
extern const std::string_view style;

}  // namespace anel::page
