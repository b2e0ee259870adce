# Which librdkafka the programs are linked with: the one that deploy/packages.sh builds where the
# system's is older. It is linked statically, so that an installed program needs no second library.
set(BEDROCK_RDKAFKA "newest" CACHE STRING "newest: the newest librdkafka here; system: the system's")
set_property(CACHE BEDROCK_RDKAFKA PROPERTY STRINGS newest system)

# The prefix of the built one in ret_prefix; empty where there is none.
function(find_built_rdkafka ret_prefix ret_version)
    file(STRINGS ${CMAKE_SOURCE_DIR}/deploy/packages.sh version REGEX "^KAFKA_VERSION=")
    string(REPLACE "KAFKA_VERSION=" "" version ${version})
    set(${ret_version} ${version} PARENT_SCOPE)
    set(${ret_prefix} "" PARENT_SCOPE)
    foreach(home $ENV{HOME}/.local /usr/local)
        set(prefix ${home}/lib/bedrock-worker/librdkafka-${version})
        if(EXISTS ${prefix})
            set(${ret_prefix} ${prefix} PARENT_SCOPE)
        endif()
    endforeach()
endfunction()

# pkg_check_modules with the prefix's modules before the system's.
macro(check_built_rdkafka prefix)
    set(path "$ENV{PKG_CONFIG_PATH}")
    set(ENV{PKG_CONFIG_PATH} "${prefix}/lib/pkgconfig:${path}")
    pkg_check_modules(RDKAFKA_STATIC REQUIRED rdkafka-static)
    pkg_check_modules(RDKAFKA_SHARED REQUIRED IMPORTED_TARGET rdkafka)
    set(ENV{PKG_CONFIG_PATH} "${path}")
endmacro()

add_library(librdkafka INTERFACE)
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka>=2.0.2)
find_built_rdkafka(rdkafka_prefix rdkafka_version)
if(NOT rdkafka_prefix OR BEDROCK_RDKAFKA STREQUAL "system" OR RDKAFKA_VERSION VERSION_GREATER_EQUAL rdkafka_version)
    message(STATUS "librdkafka: the system's ${RDKAFKA_VERSION}")
    target_link_libraries(librdkafka INTERFACE PkgConfig::RDKAFKA)
else()
    message(STATUS "librdkafka: ${rdkafka_version} of ${rdkafka_prefix}")
    check_built_rdkafka(${rdkafka_prefix})
    if(BEDROCK_SANITIZE MATCHES "thread")
        target_link_libraries(librdkafka INTERFACE PkgConfig::RDKAFKA_SHARED) # tests/tsan.supp names it
    else()
        target_include_directories(librdkafka SYSTEM INTERFACE ${RDKAFKA_STATIC_INCLUDE_DIRS})
        target_link_libraries(librdkafka INTERFACE ${RDKAFKA_STATIC_LDFLAGS})
    endif()
endif()
