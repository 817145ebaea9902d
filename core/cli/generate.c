/* Man pages and shell completions, from the lists that --help is made of: `infoplane --generate DIR`, which the
 * installation runs. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "core/cli/cli.h"

/* A file of the folder being written; the first failure stays. */
static FILE *open_page(const char *folder, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file) cli_fail(IP_FAILED, "%s: cannot write: %s", path, strerror(errno));
    return file;
}

static ip_status close_page(FILE *file, const char *name) {
    bool bad = ferror(file) != 0;
    return fclose(file) == 0 && !bad ? IP_OK : cli_fail(IP_FAILED, "%s: cannot write: %s", name, strerror(errno));
}

/* ---- man ---- */

/* roff reads backslashes anywhere, dots and apostrophes at the start of a line, and turns hyphens into dashes. */
static void man_text(FILE *file, const char *text) {
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\'')) fputs("\\&", file);
        if (*text == '\\') {
            fputs("\\e", file);
        } else if (*text == '-') {
            fputs("\\-", file);
        } else {
            fputc(*text, file);
        }
        start = *text == '\n';
    }
}

static void man_section(FILE *file, const char *title) { fprintf(file, ".SH %s\n", title); }

static void man_head(FILE *file, const char *page, const char *name, const char *brief) {
    fprintf(file, ".TH \"%s\" 1 \"\" \"infoplane " INFOPLANE_VERSION "\" \"infoplane\"\n.nh\n", page);
    man_section(file, "NAME");
    man_text(file, name);
    fputs(" \\- ", file);
    man_text(file, brief);
    fputc('\n', file);
}

static void man_tail(FILE *file) {
    man_section(file, "EXIT STATUS");
    fputs("0 done, 1 the job failed, 2 wrong usage, 3 bad input file, 130 interrupted.\n", file);
}

static ip_status man_command(const char *folder, unsigned number) {
    const cli_command_row *command = cli_command_at(number);
    char name[128], page[96], title[96];
    snprintf(title, sizeof title, "infoplane-%s", command->name);
    snprintf(name, sizeof name, "man1/%s.1", title);
    snprintf(page, sizeof page, "INFOPLANE-%s", command->name);
    FILE *file = open_page(folder, name);
    if (!file) return IP_FAILED;
    man_head(file, page, title, command->brief);
    man_section(file, "SYNOPSIS");
    man_text(file, command->usage);
    fputc('\n', file);
    man_section(file, "DESCRIPTION");
    man_text(file, command->what);
    fputc('\n', file);
    man_section(file, "OPTIONS");
    cli_option_row option;
    for (size_t i = 0; cli_option_at(i, &option); i++) {
        if (!(option.commands & 1u << number)) continue;
        fputs(".TP\n\\fB", file);
        man_text(file, option.name);
        fputs("\\fR", file);
        if (option.argument[0] != '\0') fprintf(file, " \\fI%s\\fR", option.argument);
        fputc('\n', file);
        man_text(file, option.help);
        fputc('\n', file);
    }
    man_section(file, "EXAMPLE");
    fputs(".nf\n", file);
    man_text(file, command->example);
    fputs("\n.fi\n", file);
    man_tail(file);
    man_section(file, "SEE ALSO");
    fputs("\\fBinfoplane\\fR(1)\n", file);
    return close_page(file, name);
}

static ip_status man_overview(const char *folder) {
    FILE *file = open_page(folder, "man1/infoplane.1");
    if (!file) return IP_FAILED;
    man_head(file, "INFOPLANE", "infoplane", "how a language model compresses what it reads");
    man_section(file, "SYNOPSIS");
    fputs("infoplane \\fICOMMAND\\fR [arguments] [options]\n", file);
    man_section(file, "COMMANDS");
    const cli_command_row *command;
    for (unsigned i = 0; (command = cli_command_at(i)) != NULL; i++) {
        fprintf(file, ".TP\n\\fBinfoplane\\-%s\\fR(1)\n", command->name);
        man_text(file, command->brief);
        fputc('\n', file);
    }
    man_section(file, "ENVIRONMENT");
    fputs(".TP\n\\fBINFOPLANE_ISA\\fR\nthe instruction set, where \\-\\-isa does not say\n", file);
    fputs(".TP\n\\fBTMPDIR\\fR\nwhere scratch files go, where \\-\\-scratch and \\-o do not say\n", file);
    man_tail(file);
    return close_page(file, "man1/infoplane.1");
}

/* ---- completions ---- */

static void option_names(FILE *file, unsigned bit) {
    cli_option_row option;
    for (size_t i = 0; cli_option_at(i, &option); i++)
        if (option.commands & bit) fprintf(file, " %s", option.name);
}

static ip_status complete_bash(const char *folder) {
    FILE *file = open_page(folder, "infoplane.bash");
    if (!file) return IP_FAILED;
    const cli_command_row *command;
    fputs("# bash completion for infoplane\n_infoplane() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} options=\n    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W \"--help --version",
          file);
    for (unsigned i = 0; (command = cli_command_at(i)) != NULL; i++) fprintf(file, " %s", command->name);
    fputs("\" -- \"$word\"))\n        return\n    fi\n    case \"${COMP_WORDS[1]}\" in\n", file);
    for (unsigned i = 0; (command = cli_command_at(i)) != NULL; i++) {
        fprintf(file, "        %s) options=\"", command->name);
        option_names(file, 1u << i);
        fputs("\" ;;\n", file);
    }
    fputs("    esac\n    case \"$word\" in\n        -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
          "        *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n    esac\n}\n"
          "complete -o filenames -F _infoplane infoplane\n",
          file);
    return close_page(file, "infoplane.bash");
}

/* Inside single quotes of zsh and fish; zsh also reads brackets and colons, which get a backslash. */
static void quoted(FILE *file, const char *text, const char *special) {
    for (; *text; text++) {
        if (*text == '\'') {
            fputs("'\\''", file);
        } else {
            if (strchr(special, *text)) fputc('\\', file);
            fputc(*text, file);
        }
    }
}

static ip_status complete_zsh(const char *folder) {
    FILE *file = open_page(folder, "_infoplane");
    if (!file) return IP_FAILED;
    const cli_command_row *command;
    cli_option_row option;
    fputs("#compdef infoplane\nlocal -a commands\ncommands=(\n", file);
    for (unsigned i = 0; (command = cli_command_at(i)) != NULL; i++) {
        fprintf(file, "    '%s:", command->name);
        quoted(file, command->brief, ":");
        fputs("'\n", file);
    }
    fputs(")\nif (( CURRENT == 2 )); then\n    _describe command commands\n    return\nfi\ncase $words[2] in\n", file);
    for (unsigned i = 0; (command = cli_command_at(i)) != NULL; i++) {
        fprintf(file, "    %s)\n        _arguments", command->name);
        for (size_t o = 0; cli_option_at(o, &option); o++) {
            if (!(option.commands & 1u << i)) continue;
            fprintf(file, " \\\n            '%s[", option.name);
            quoted(file, option.help, "[]:");
            fputc(']', file);
            if (option.argument[0] != '\0') {
                fputc(':', file);
                quoted(file, option.argument, "[]:");
                fputs(":_files", file);
            }
            fputc('\'', file);
        }
        fputs(" \\\n            '*:file:_files' ;;\n", file);
    }
    fputs("esac\n", file);
    return close_page(file, "_infoplane");
}

static ip_status complete_fish(const char *folder) {
    FILE *file = open_page(folder, "infoplane.fish");
    if (!file) return IP_FAILED;
    const cli_command_row *command;
    cli_option_row option;
    for (unsigned i = 0; (command = cli_command_at(i)) != NULL; i++) {
        fprintf(file, "complete -c infoplane -n __fish_use_subcommand -a %s -d '", command->name);
        quoted(file, command->brief, "\\");
        fputs("'\n", file);
        for (size_t o = 0; cli_option_at(o, &option); o++) {
            if (!(option.commands & 1u << i)) continue;
            bool brief = option.name[1] != '-';
            fprintf(file, "complete -c infoplane -n '__fish_seen_subcommand_from %s' -%c %s%s -d '", command->name,
                    brief ? 's' : 'l', option.name + (brief ? 1 : 2), option.argument[0] != '\0' ? " -r" : "");
            quoted(file, option.help, "\\");
            fputs("'\n", file);
        }
    }
    return close_page(file, "infoplane.fish");
}

ip_status cli_generate(const char *folder) {
    char pages[4096];
    snprintf(pages, sizeof pages, "%s/man1", folder);
    if ((mkdir(folder, 0777) != 0 && errno != EEXIST) || (mkdir(pages, 0777) != 0 && errno != EEXIST))
        return cli_fail(IP_FAILED, "%s: cannot make the folder: %s", pages, strerror(errno));
    ip_status status = man_overview(folder);
    for (unsigned i = 0; status == IP_OK && cli_command_at(i); i++) status = man_command(folder, i);
    if (status == IP_OK) status = complete_bash(folder);
    if (status == IP_OK) status = complete_zsh(folder);
    if (status == IP_OK) status = complete_fish(folder);
    return status;
}
