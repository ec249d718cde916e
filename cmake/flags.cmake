# SPDX-License-Identifier: BSD-2-Clause
# One interface target carries every flag; each is probed, so that another
# compiler gets what it has. Debian's hardening=+all gives FORTIFY 2 and neither
# stack-clash protection nor zero initialisation: they are added here.
include(CheckCCompilerFlag)
include(CheckLinkerFlag)

add_library(bg_flags INTERFACE)
target_include_directories(bg_flags INTERFACE ${CMAKE_SOURCE_DIR}/include)
target_compile_definitions(bg_flags INTERFACE _GNU_SOURCE)

foreach(flag
	-Wall -Wextra -Wpedantic -Wshadow -Wundef -Wcast-qual -Wcast-align -Wwrite-strings
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla -Wformat=2
	-Wformat-signedness -Wconversion -Wswitch-enum -Wimplicit-fallthrough -Wlogical-op
	-Wduplicated-cond -Wduplicated-branches -Wnull-dereference -Wframe-larger-than=65536
	-fvisibility=hidden -fno-strict-aliasing -fstack-protector-strong -fstack-clash-protection
	-fcf-protection -ftrivial-auto-var-init=zero)
	string(MAKE_C_IDENTIFIER "HAS${flag}" var)
	check_c_compiler_flag(${flag} ${var})
	if(${var})
		target_compile_options(bg_flags INTERFACE ${flag})
	endif()
endforeach()
foreach(flag -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed)
	string(MAKE_C_IDENTIFIER "HAS_LINK${flag}" var)
	check_linker_flag(C ${flag} ${var})
	if(${var})
		target_link_options(bg_flags INTERFACE ${flag})
	endif()
endforeach()

if(BG_WERROR)
	target_compile_options(bg_flags INTERFACE -Werror)
endif()
if(BG_SANITIZE)
	target_compile_options(bg_flags INTERFACE -fsanitize=${BG_SANITIZE}
		-fno-sanitize-recover=all -fno-omit-frame-pointer)
	target_link_options(bg_flags INTERFACE -fsanitize=${BG_SANITIZE})
	if(BG_FUZZ)
		# coverage of what is fuzzed; the runtime comes with the targets
		target_compile_options(bg_flags INTERFACE -fsanitize=fuzzer-no-link)
		target_link_options(bg_flags INTERFACE -fsanitize=fuzzer-no-link)
	endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
	target_compile_options(bg_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
