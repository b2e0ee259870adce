/* The forms of answers, for the list of families. */
#ifndef SIM_ANSWERS_FORMS_H
#define SIM_ANSWERS_FORMS_H

struct reply_form;

/* form_converse.c; nova's answers in InvokeModel have the same members */
extern const struct reply_form FORM_CONVERSE, FORM_NOVA;
/* form_anthropic.c */
extern const struct reply_form FORM_ANTHROPIC;
/* form_chat.c */
extern const struct reply_form FORM_CHAT, FORM_WRITER;
/* form_text.c */
extern const struct reply_form FORM_TITAN, FORM_LLAMA, FORM_MISTRAL, FORM_COMPLETION, FORM_COMMAND;

#endif
