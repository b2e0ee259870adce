/* Prints the current objects (current.h) when a CHECK fails: a line for each with its numbers and
 * states, and no content of requests, answers or keys. */
#ifndef ENGINE_OBJECTS_H
#define ENGINE_OBJECTS_H

/* For check_set_objects. Uses no heap and changes nothing. */
void objects_print(void);

#endif
