# OpenTelemetry's messages, generated at build by protoc-c from the .proto files of this folder
# (opentelemetry-proto, Apache License 2.0).
find_program(PROTOC_C protoc-c REQUIRED)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
set(otlp_from ${CMAKE_SOURCE_DIR}/worker/telemetry/otlp)
set(otlp_to ${CMAKE_BINARY_DIR}/otlp)
set(otlp_sources "")
file(MAKE_DIRECTORY ${otlp_to})
foreach(name common/v1/common resource/v1/resource trace/v1/trace collector/trace/v1/trace_service)
    set(proto opentelemetry/proto/${name}.proto)
    set(made ${otlp_to}/opentelemetry/proto/${name}.pb-c)
    add_custom_command(OUTPUT ${made}.c ${made}.h
        COMMAND ${PROTOC_C} --proto_path=${otlp_from} --c_out=${otlp_to} ${proto}
        DEPENDS ${otlp_from}/${proto} VERBATIM)
    list(APPEND otlp_sources ${made}.c ${made}.h)
endforeach()
add_library(otlp STATIC ${otlp_sources})
target_include_directories(otlp SYSTEM PUBLIC ${otlp_to})
target_compile_options(otlp PRIVATE -w -fPIE)
if(BEDROCK_SANITIZE)
    target_compile_options(otlp PRIVATE -fsanitize=${BEDROCK_SANITIZE})
endif()
# protobuf-c's initializers cast the const away from its empty text.
set_source_files_properties(${CMAKE_SOURCE_DIR}/worker/telemetry/trace/otlp.c PROPERTIES COMPILE_OPTIONS -Wno-cast-qual)
target_link_libraries(otlp PUBLIC PkgConfig::PROTOBUF_C)
