#include "app/commands/completion.h"

#include <string.h>

#include "app/commands/help.h"
#include "app/settings/settings.h"

/* What completes a value. */
enum value_kind { VALUE_FREE, VALUE_FILE, VALUE_SETTING, VALUE_CHOICE };

static enum value_kind value_kind(const char *value)
{
    if (value == NULL)
        return VALUE_FREE;
    if (strcmp(value, "FILE") == 0)
        return VALUE_FILE;
    if (strcmp(value, "PATH=VALUE") == 0)
        return VALUE_SETTING;
    return strchr(value, '|') != NULL ? VALUE_CHOICE : VALUE_FREE;
}

/* The choices `a|b` with blanks between them. */
static void add_choices(struct buf *page, const char *choices)
{
    for (; *choices != '\0'; choices++)
        buf_add_byte(page, *choices == '|' ? ' ' : *choices);
}

static void add_names(struct buf *page)
{
    size_t count = 0;
    const struct command *const *commands = help_commands(&count);
    for (size_t i = 0; i < count; i++)
        buf_addf(page, "%s%s", i > 0 ? " " : "", commands[i]->name);
}

/* The paths of the settings that --set takes: those with one value. */
static void add_paths(struct buf *page)
{
    size_t count = 0;
    const struct setting_row *rows = settings_rows(&count);
    for (size_t i = 0; i < count; i++)
        if (rows[i].kind != SETTING_PROPERTIES && rows[i].kind != SETTING_ALIASES &&
            rows[i].kind != SETTING_TEMPLATES)
            buf_addf(page, "    %s\n", rows[i].path);
}

/* ---- bash ---- */

static const char BASH_BEGIN[] =
    "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local options='' values='' takes=''\n"
    "    COMPREPLY=()\n"
    "    if [[ $word == = ]]; then\n"
    "        word=''\n"
    "    elif [[ $before == = ]]; then\n"
    "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n"
    "    if ((COMP_CWORD == 1)); then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$commands help --help --version\" -- "
    "\"$word\")\n"
    "        return\n"
    "    fi\n"
    "    case ${COMP_WORDS[1]} in\n"
    "    help) values=$commands takes=words ;;\n";

/* What the options ask for wins over what the command's argument is. */
static const char BASH_END[] =
    "    esac\n"
    "    if [[ $word == -* && $before != -* ]] || [[ $word == -* && $takes != none ]]; then\n"
    "        values=$options takes=words\n"
    "    fi\n"
    "    case $takes in\n"
    "    words) mapfile -t COMPREPLY < <(compgen -W \"$values\" -- \"$word\") ;;\n"
    "    settings)\n"
    "        mapfile -t COMPREPLY < <(compgen -S = -W \"$settings\" -- \"$word\")\n"
    "        compopt -o nospace 2>/dev/null\n"
    "        ;;\n"
    "    files)\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        ;;\n"
    "    esac\n"
    "}\n"
    "complete -F _bedrock_worker bedrock-worker\n";

/* The assignment that says what a value is completed with. */
static void add_bash_value(struct buf *page, const char *value)
{
    static const char *const TAKES[] = {
        [VALUE_FREE] = "none",
        [VALUE_FILE] = "files",
        [VALUE_SETTING] = "settings",
        [VALUE_CHOICE] = "words",
    };
    enum value_kind kind = value_kind(value);
    buf_addf(page, "takes=%s", TAKES[kind]);
    if (kind != VALUE_CHOICE)
        return;
    buf_add_text(page, " values='");
    add_choices(page, value);
    buf_add_byte(page, '\'');
}

static void add_bash_option(struct buf *page, const struct command_option *option)
{
    if (option->value == NULL)
        return;
    buf_add_text(page, "        ");
    if (option->letter != 0)
        buf_addf(page, "-%c | ", option->letter);
    buf_addf(page, "--%s) ", option->name);
    add_bash_value(page, option->value);
    buf_add_text(page, " ;;\n");
}

static void add_bash_command(struct buf *page, const struct command *command)
{
    const struct command_options *options = &command->options;
    buf_addf(page, "    %s)\n        options='", command->name);
    for (size_t i = 0; i < options->count; i++)
        buf_addf(page, "--%s ", options->list[i].name);
    buf_add_text(page, "--help'\n        case $before in\n");
    for (size_t i = 0; i < options->count; i++)
        add_bash_option(page, &options->list[i]);
    buf_add_text(page, "        *) ");
    add_bash_value(page, options->verbs != NULL ? options->verbs : options->argument_name);
    buf_add_text(page, " ;;\n        esac\n        ;;\n");
}

static void add_bash(struct buf *page)
{
    size_t count = 0;
    const struct command *const *commands = help_commands(&count);
    buf_add_text(page, "# Completion of bedrock-worker in bash, made by\n"
                       "#   bedrock-worker reference --completion bash\n"
                       "_bedrock_worker() {\n    local commands='");
    add_names(page);
    buf_add_text(page, "'\n    local settings='\n");
    add_paths(page);
    buf_add_text(page, "    '\n");
    buf_add_text(page, BASH_BEGIN);
    for (size_t i = 0; i < count; i++)
        add_bash_command(page, commands[i]);
    buf_add_text(page, BASH_END);
}

/* ---- zsh ---- */

static bool ends_sentence(const char *text)
{
    return text[0] == '.' &&
           (text[1] == '\0' || (text[1] == ' ' && text[2] >= 'A' && text[2] <= 'Z'));
}

/* A text within single quotes and a specification of _arguments: its first sentence. */
static void add_zsh_text(struct buf *page, const char *text)
{
    for (; *text != '\0' && *text != '\n' && !ends_sentence(text); text++) {
        if (*text == '\'')
            buf_add_text(page, "'\\'");
        else if (strchr("[]:\\", *text) != NULL)
            buf_add_byte(page, '\\');
        buf_add_byte(page, *text);
    }
}

/* `:NAME:action` behind an option, or for the argument of a command. */
static void add_zsh_value(struct buf *page, const char *value)
{
    static const char *const ACTIONS[] = {
        [VALUE_FREE] = " ",
        [VALUE_FILE] = "_files",
        [VALUE_SETTING] = "_bedrock_worker_settings",
        [VALUE_CHOICE] = NULL,
    };
    const char *action = ACTIONS[value_kind(value)];
    buf_add_byte(page, ':');
    add_zsh_text(page, value);
    buf_add_byte(page, ':');
    if (action != NULL) {
        buf_add_text(page, action);
        return;
    }
    buf_add_byte(page, '(');
    add_choices(page, value);
    buf_add_byte(page, ')');
}

/* One spelling of an option; the other one is void after it, unless it may be repeated. */
static void add_zsh_spelling(struct buf *page, const struct command_option *option, bool is_letter)
{
    buf_add_text(page, " \\\n            '");
    if (option->kind == OPTION_TEXTS)
        buf_add_byte(page, '*');
    else if (option->letter != 0)
        buf_addf(page, "(-%c --%s)", option->letter, option->name);
    if (is_letter)
        buf_addf(page, "-%c%s[", option->letter, option->value != NULL ? "+" : "");
    else
        buf_addf(page, "--%s%s[", option->name, option->value != NULL ? "=" : "");
    add_zsh_text(page, option->description);
    buf_add_byte(page, ']');
    if (option->value != NULL)
        add_zsh_value(page, option->value);
    buf_add_byte(page, '\'');
}

static void add_zsh_command(struct buf *page, const struct command *command)
{
    static const struct command_option help = {
        .letter = 'h', .name = "help", .kind = OPTION_FLAG, .description = "Print this page."};
    const struct command_options *options = &command->options;
    buf_addf(page, "    %s)\n        _arguments -s", command->name);
    for (size_t i = 0; i <= options->count; i++) {
        const struct command_option *option = i < options->count ? &options->list[i] : &help;
        if (option->letter != 0)
            add_zsh_spelling(page, option, true);
        add_zsh_spelling(page, option, false);
    }
    if (options->verbs != NULL) {
        buf_add_text(page, " \\\n            '1");
        add_zsh_value(page, options->verbs);
        buf_add_byte(page, '\'');
    }
    if (options->argument_name != NULL) {
        buf_add_text(page, " \\\n            '");
        add_zsh_value(page, options->argument_name);
        buf_add_byte(page, '\'');
    }
    buf_add_text(page, "\n        ;;\n");
}

static void add_zsh(struct buf *page)
{
    size_t count = 0;
    const struct command *const *commands = help_commands(&count);
    buf_add_text(page, "#compdef bedrock-worker\n"
                       "# Completion of bedrock-worker in zsh, made by\n"
                       "#   bedrock-worker reference --completion zsh\n"
                       "_bedrock_worker_settings() {\n    local -a paths=(\n");
    add_paths(page);
    buf_add_text(page, "    )\n    compadd -S = -a paths\n}\n\n"
                       "_bedrock_worker() {\n    local -a commands=(\n");
    for (size_t i = 0; i < count; i++) {
        buf_addf(page, "        '%s:", commands[i]->name);
        add_zsh_text(page, commands[i]->summary);
        buf_add_text(page, "'\n");
    }
    buf_add_text(page, "    )\n    if ((CURRENT == 2)); then\n"
                       "        _describe command commands\n        return\n    fi\n"
                       "    local command=$words[2]\n    shift words\n    ((CURRENT--))\n"
                       "    case $command in\n");
    for (size_t i = 0; i < count; i++)
        add_zsh_command(page, commands[i]);
    buf_add_text(page, "    esac\n}\n\n"
                       "compdef _bedrock_worker bedrock-worker 2>/dev/null\n"
                       "[[ $funcstack[1] != _bedrock?worker ]] || _bedrock_worker \"$@\"\n");
}

static const struct {
    const char *name;
    void (*add)(struct buf *page);
} SHELLS[] = {{"bash", add_bash}, {"zsh", add_zsh}};

bool completion_add(struct buf *page, const char *shell)
{
    for (size_t i = 0; i < COUNT_OF(SHELLS); i++) {
        if (strcmp(shell, SHELLS[i].name) == 0) {
            SHELLS[i].add(page);
            return true;
        }
    }
    return false;
}
