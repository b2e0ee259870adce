# The status page is built in, so that the worker needs no file beside it.
set(page_file ${CMAKE_SOURCE_DIR}/worker/app/pages/page.html)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${page_file})
file(READ ${page_file} page_bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," page_bytes "${page_bytes}")
string(REPLACE "0x0a," "0x0a,\n" page_bytes "${page_bytes}")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/page_html.c CONTENT
"#include \"app/pages/page.h\"
const unsigned char PAGE_HTML[] = {@page_bytes@};
const unsigned long PAGE_HTML_LEN = sizeof PAGE_HTML;
" @ONLY)
target_sources(app-pages PRIVATE ${CMAKE_BINARY_DIR}/page_html.c)
