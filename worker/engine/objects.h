/* The last words of a failed CHECK: the objects in hand, a line each, by their numbers and states;
 * nothing of a request, an answer or a key. */
#ifndef ENGINE_OBJECTS_H
#define ENGINE_OBJECTS_H

/* What check_set_objects is given. Uses no heap and changes nothing. */
void objects_print(void);

#endif
