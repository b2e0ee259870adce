# `format` rewrites the C sources as .clang-format has it; `check-format` fails where that would change one.
# clang-format 14 (Debian 12's) is the measure: other versions break lines in other places.
find_program(CLANG_FORMAT NAMES clang-format-14 clang-format)
file(GLOB_RECURSE formatted CONFIGURE_DEPENDS
    ${CMAKE_SOURCE_DIR}/worker/*.c ${CMAKE_SOURCE_DIR}/worker/*.h ${CMAKE_SOURCE_DIR}/tests/*.c ${CMAKE_SOURCE_DIR}/tests/*.h)
if(CLANG_FORMAT)
    add_custom_target(format COMMAND ${CLANG_FORMAT} -i ${formatted} VERBATIM COMMENT "laying out the C files")
    add_custom_target(check-format COMMAND ${CLANG_FORMAT} --dry-run -Werror ${formatted} VERBATIM
        COMMENT "comparing the C files with .clang-format")
endif()
