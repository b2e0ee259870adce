# The demo's settings are built in, so that it needs no file beside it.
set(demo_file ${CMAKE_SOURCE_DIR}/config/demo.yaml)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${demo_file})
file(READ ${demo_file} demo_bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," demo_bytes "${demo_bytes}")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/demo_settings.c CONTENT
"#include \"app/demo/demo.h\"
const unsigned char DEMO_SETTINGS[] = {@demo_bytes@};
const unsigned long DEMO_SETTINGS_LEN = sizeof DEMO_SETTINGS;
" @ONLY)
target_sources(app-demo PRIVATE ${CMAKE_BINARY_DIR}/demo_settings.c)
