/* `inspect --supported`: what this version can open and how it multiplies it, from the lists of the rooms below. */
#include <string.h>

#include "core/infoplane.h"
#include "core/input/weights.h"
#include "core/output/json_write.h"
#include "core/preference/chat.h"
#include "models/family.h"
#include "models/quantise.h"
#include "models/tokenizer.h"
#include "models/tokenizer_pre.h"
#include "models/types_hf.h"

/* How weights of a type are multiplied unless --compute says otherwise; NULL: it holds no weights. */
static const char *arithmetic(const ip_type *type) {
    ip_tensor tensor = {.type = type, .ne = {type->block, 1, 1, 1}};
    if (!type->weight) return NULL;
    return ip_weight_arith((ip_compute){.name = IP_COMPUTE_AUTO}, &tensor) == IP_ARITH_INT16 ? "int16" : "f32";
}

/* Names of the types that are multiplied so. */
static void write_types(FILE *file, const char *title, const char *how) {
    fputs(title, file);
    for (size_t i = 0; i < ip_type_count(); i++) {
        const char *this = arithmetic(ip_type_at(i));
        if (this == how || (this && how && strcmp(this, how) == 0)) fprintf(file, " %s", ip_type_at(i)->name);
    }
}

/* What checkpoints of one kind call the families. */
static void write_names(FILE *file, const char *title, bool folders) {
    fputs(title, file);
    for (size_t i = 0; i < ip_family_count(); i++) {
        const char *name = folders ? ip_family_at(i)->model_type : ip_family_at(i)->architecture;
        if (name) fprintf(file, " %.*s", (int)strcspn(name, "|"), name);
    }
}

static void write_text(FILE *file) {
    char names[4096];
    fputs("families:", file);
    for (size_t i = 0; i < ip_family_count(); i++) fprintf(file, " %s", ip_family_at(i)->name);
    write_names(file, "\nin GGUF files (general.architecture):", false);
    write_names(file, "\nin Hugging Face folders (model_type):", true);
    fputs("\ndtypes of safetensors: F32 F16 BF16 F64", file);
    for (size_t i = 0; i < ip_dtype_count(); i++)
        if (ip_dtype_at(i)->weight) fprintf(file, " %s", ip_dtype_at(i)->name);
    write_types(file, "\ntensor types, multiplied in int16 (auto), int8, f32 or bf16:", "int16");
    write_types(file, "\ntensor types, multiplied in f32 (auto) or bf16, or as q8_0 in int16 or int8:", "f32");
    write_types(file, "\ntensor types that hold no weights:", NULL);
    ip_quantise_names(names, sizeof names);
    fprintf(file, "\n--weights: %s\ntokenizers (tokenizer.ggml.model):", names);
    for (size_t i = 0; ip_tokenizer_kind_at(i); i++) fprintf(file, " %s", ip_tokenizer_kind_at(i));
    ip_pre_list(names, sizeof names);
    fprintf(file, "\npre-tokenizers (tokenizer.ggml.pre): %s\n", names);
    fputs("chat templates (preference --chat):", file);
    for (size_t i = 0; i < ip_chat_family_count(); i++) fprintf(file, " %s", ip_chat_family_at(i));
    fputc('\n', file);
    fputs("files: GGUF versions 2 and 3, split sets included; Hugging Face folders with safetensors, and a "
          "tokenizer.json with BPE or Unigram\n",
          file);
}

/* A text of words apart by commas or spaces as an array. */
static void write_words(ip_json *j, const char *key, char *words) {
    ip_json_open(j, key, '[', false);
    for (char *word = strtok(words, ", "); word; word = strtok(NULL, ", ")) ip_json_string(j, NULL, word);
    ip_json_close(j, ']');
}

static void write_json(FILE *file) {
    ip_json json, *j = &json;
    char names[4096];
    ip_json_begin(j, file);
    ip_json_open(j, NULL, '{', false);
    ip_json_string(j, "schema", "infoplane.supported/1");
    ip_json_open(j, "families", '[', false);
    for (size_t i = 0; i < ip_family_count(); i++) ip_json_string(j, NULL, ip_family_at(i)->name);
    ip_json_close(j, ']');
    ip_json_open(j, "types", '[', false);
    for (size_t i = 0; i < ip_type_count(); i++) {
        const ip_type *type = ip_type_at(i);
        ip_json_open(j, NULL, '{', true);
        ip_json_string(j, "name", type->name);
        ip_json_uint(j, "block", type->block);
        ip_json_uint(j, "bytes", type->bytes);
        ip_json_string(j, "auto", arithmetic(type)); /* null: holds no weights */
        ip_json_close(j, '}');
    }
    ip_json_close(j, ']');
    ip_quantise_names(names, sizeof names);
    write_words(j, "weights", names);
    ip_json_open(j, "tokenizers", '[', false);
    for (size_t i = 0; ip_tokenizer_kind_at(i); i++) ip_json_string(j, NULL, ip_tokenizer_kind_at(i));
    ip_json_close(j, ']');
    ip_pre_list(names, sizeof names);
    write_words(j, "pre_tokenizers", names);
    ip_json_open(j, "chat_templates", '[', false);
    for (size_t i = 0; i < ip_chat_family_count(); i++) ip_json_string(j, NULL, ip_chat_family_at(i));
    ip_json_close(j, ']');
    ip_json_close(j, '}');
    ip_json_end(j);
}

void ip_inspect_supported(bool json, FILE *file) { (json ? write_json : write_text)(file); }
