/* How shapes are written down, for shapes.c and shapes_invoke.c. */
#ifndef SIM_BODIES_SHAPES_WRITE_H
#define SIM_BODIES_SHAPES_WRITE_H

#include "sim/bodies/shapes.h"

#define STRUCTURE(name, ...)                                                                       \
    static const struct shape name = {.kind = SHAPE_STRUCTURE, .members = {__VA_ARGS__}}
#define UNION(name, ...)                                                                           \
    static const struct shape name = {.kind = SHAPE_UNION, .members = {__VA_ARGS__}}
#define ENUM(name, ...)                                                                            \
    static const struct shape name = {.kind = SHAPE_ENUM, .values = {__VA_ARGS__}}
#define LIST(name, of, least, most)                                                                \
    static const struct shape name = {                                                             \
        .kind = SHAPE_LIST, .element = &(of), .min = (least), .max = (most)}
#define STRING(name, least, most, beside)                                                          \
    static const struct shape name = {                                                             \
        .kind = SHAPE_STRING, .min = (least), .max = (most), .allowed = (beside)}
#define NEEDS(name, of)                                                                            \
    {                                                                                              \
        name, &(of), true                                                                          \
    }
#define MAY(name, of)                                                                              \
    {                                                                                              \
        name, &(of), false                                                                         \
    }
/* OPEN: with members beside; TAGGED(name, MAY("text", TEXT_BLOCK), …): by the member `type` */
#define OPEN(name, ...)                                                                            \
    static const struct shape name = {.kind = SHAPE_OPEN, .members = {__VA_ARGS__}}
#define TAGGED(name, ...)                                                                          \
    static const struct shape name = {.kind = SHAPE_TAGGED, .members = {__VA_ARGS__}}
#define EITHER(name, text, other)                                                                  \
    static const struct shape name = {.kind = SHAPE_EITHER,                                        \
                                      .members = {MAY("text", text), MAY("other", other)}}

#endif
