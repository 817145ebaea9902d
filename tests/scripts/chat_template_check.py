"""What Jinja makes of chat templates: the reference for core/chat*.c.

    python chat_template_check.py SHARED > ../data/chat_templates.jsonl

SHARED: the folder with data/tokenizers (tokenizer_config.json), data/ggml-vocabs and models. Needs jinja2 (transformers
renders templates with it and these settings) and gguf. Each line: family, where the template stands ("source": a file
under SHARED) or the template itself, bos, eos, the prompt's messages, the reply's, and either the text with the place
where the reply begins, or "refused". The text is the dialogue with the reply as a finished turn. Where the template
writes the prompt differently once a reply follows (the system message in the last user's turn), the prompt is written
as it is when a reply is asked for, and the reply as it is in the finished dialogue. Dates are the template's own.
"""
import json
import sys

import gguf
import jinja2.sandbox

shared = sys.argv[1]


class Refused(Exception):
    pass


def raise_exception(message):
    raise Refused(message)


environment = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
environment.globals["raise_exception"] = raise_exception

HEAD = "{% if messages[0]['role'] == 'system' %}{% set system_message = messages[0]['content'] %}{% set loop_messages = messages[1:] %}" \
       "{% else %}{% set loop_messages = messages %}{% endif %}"
TURNS = "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}"

# Templates in the manner of the families for which no file is at hand.
WRITTEN = {
    "chatml-trim": "{{ bos_token }}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] | trim + '<|im_end|>\n' }}"
                   "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "llama-3": "{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + "
               "'<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
               "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}",
    "llama-2": HEAD.replace("{% else %}", "{% else %}{% set system_message = false %}") + "{% for message in loop_messages %}" + TURNS +
               "{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\n' + system_message + '\n<</SYS>>\n\n' + message['content'] %}"
               "{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
               "{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}",
    "mistral": "{{ bos_token }}{% for message in messages %}" + TURNS + "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
               "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token }}{% else %}{{ raise_exception('no such role') }}{% endif %}{% endfor %}",
    "mistral-v1": HEAD + "{{ bos_token }}{%- for message in loop_messages %}" + TURNS + "{%- if message['role'] == 'user' %}{%- if loop.first and system_message is defined %}"
                  "{{- ' [INST] ' + system_message + '\\n\\n' + message['content'] + ' [/INST]' }}{%- else %}{{- ' [INST] ' + message['content'] + ' [/INST]' }}{%- endif %}"
                  "{%- elif message['role'] == 'assistant' %}{{- ' ' + message['content'] + eos_token }}{%- endif %}{%- endfor %}",
    "mistral-v3": HEAD + "{{- bos_token }}\n{%- for message in loop_messages %}" + TURNS + "{%- if message[\"role\"] == \"user\" %}{%- if loop.last and system_message is defined %}"
                  "{{- \"[INST] \" + system_message + \"\\n\\n\" + message[\"content\"] + \"[/INST]\" }}{%- else %}{{- \"[INST] \" + message[\"content\"] + \"[/INST]\" }}{%- endif %}"
                  "{%- elif message[\"role\"] == \"assistant\" %}{{- \" \" + message[\"content\"]|trim + eos_token }}{%- endif %}{%- endfor %}",
    "gemma": "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}" + TURNS +
             "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}"
             "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}",
    "gemma-3": "{{ bos_token }}\n{%- if messages[0]['role'] == 'system' -%}{%- set first_user_prefix = messages[0]['content'] + '\n\n' -%}{%- set loop_messages = messages[1:] -%}"
               "{%- else -%}{%- set first_user_prefix = \"\" -%}{%- set loop_messages = messages -%}{%- endif -%}{%- for message in loop_messages -%}" + TURNS +
               "{%- if (message['role'] == 'assistant') -%}{%- set role = \"model\" -%}{%- else -%}{%- set role = message['role'] -%}{%- endif -%}"
               "{{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else \"\") }}{%- if message['content'] is string -%}{{ message['content'] | trim }}{%- endif -%}"
               "{{ '<end_of_turn>\n' }}{%- endfor -%}{%- if add_generation_prompt -%}{{ '<start_of_turn>model\n' }}{%- endif -%}",
    "phi-3": "{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'user' %}"
             "{{'<|user|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}"
             "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}",
    "phi-3-small": "{{ bos_token }}{% for message in messages %}{{'<|' + message['role'] + '|>' + '\n' + message['content'] + '<|end|>\n' }}{% endfor %}"
                   "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}",
    "zephyr": "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'system' %}\n"
              "{{ '<|system|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n' + message['content'] + eos_token }}\n"
              "{% endif %}\n{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}",
    "deepseek-v2": "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ 'User: ' + message['content'] + '\n\n' }}{% elif message['role'] == 'assistant' %}"
                   "{{ 'Assistant: ' + message['content'] + eos_token }}{% elif message['role'] == 'system' %}{{ message['content'] + '\n\n' }}{% endif %}{% endfor %}"
                   "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}",
    "granite-3.0": "{%- for message in messages %}{%- if message['role'] == 'system' %}{{- '<|start_of_role|>system<|end_of_role|>' + message['content'] + '<|end_of_text|>\n' }}"
                   "{%- elif message['role'] == 'user' %}{{- '<|start_of_role|>user<|end_of_role|>' + message['content'] + '<|end_of_text|>\n' }}{%- elif message['role'] == 'assistant' %}"
                   "{{- '<|start_of_role|>assistant<|end_of_role|>' + message['content'] + '<|end_of_text|>\n' }}{%- endif %}"
                   "{%- if loop.last and add_generation_prompt %}{{- '<|start_of_role|>assistant<|end_of_role|>' }}{%- endif %}{%- endfor %}",
    "openchat": "{{ bos_token }}{% for message in messages %}{{ 'GPT4 Correct ' + message['role'].title() + ': ' + message['content'] + '<|end_of_turn|>'}}{% endfor %}"
                "{% if add_generation_prompt %}{{ 'GPT4 Correct Assistant:' }}{% endif %}",
}
FILES = [("chatml", "data/tokenizers/qwen2_5"), ("chatml", "models/SmolLM2-135M-Instruct.Q4_1.gguf"), ("llama-3.1", "data/tokenizers/llama3_2"),
         ("mistral-v3-tekken", "data/tokenizers/mistral_nemo"), ("command-r", "data/tokenizers/command_r_plus"), ("phi-3-mini", "data/ggml-vocabs/ggml-vocab-phi-3.gguf")]

S, U, A = "system", "user", "assistant"
DIALOGUES = [
    ([(U, "Hello, who are you?")], [(A, "An echo.")]),
    ([(S, "Be brief."), (U, "Why is the sky blue?")], [(A, "Scattering.")]),
    ([(S, " Two\n\nparagraphs. "), (U, "  first \n"), (A, " second\t"), (U, "\u00a0third\u3000")], [(A, " reply with space \n")]),
    ([(U, "naïve café 漢字 🙂"), (A, "ok"), (U, "again")], [(A, "")]),
    ([(U, "one")], [(A, "two"), (U, "three"), (A, "four")]),
    ([(U, "a"), (U, "b")], [(A, "c")]),
]


def as_text(token):
    return token["content"] if isinstance(token, dict) else token or ""


def load(source):
    if source.endswith(".gguf"):
        fields = gguf.GGUFReader(f"{shared}/{source}").fields
        tokens = fields["tokenizer.ggml.tokens"]
        special = []
        for which in ("bos", "eos"):
            field = fields.get(f"tokenizer.ggml.{which}_token_id")
            special.append(bytes(tokens.parts[tokens.data[int(field.parts[-1][0])]]).decode() if field else "")
        return bytes(fields["tokenizer.chat_template"].parts[-1]).decode(), *special
    config = json.load(open(f"{shared}/{source}/tokenizer_config.json"))
    template = config["chat_template"]
    if not isinstance(template, str):
        template = next(t["template"] for t in template if t["name"] == "default")
    return template, as_text(config.get("bos_token")), as_text(config.get("eos_token"))


def render(template, messages, opening, bos, eos):
    messages = [{"role": role, "content": content} for role, content in messages]
    return environment.from_string(template).render(messages=messages, add_generation_prompt=opening, bos_token=bos, eos_token=eos)


def pair(template, prompt, reply, bos, eos):
    asked, whole = render(template, prompt, True, bos, eos), render(template, prompt + reply, False, bos, eos)
    if not whole.startswith(asked):
        end = "[/INST]"
        assert asked.endswith(end) and len(reply) == 1
        whole = asked + whole[whole.rindex(end) + len(end):]
    return {"text": whole, "border": len(asked.encode())}


for family, source in FILES + [(name, None) for name in WRITTEN]:
    template, bos, eos = load(source) if source else (WRITTEN[family], "<s>", "</s>")
    for prompt, reply in DIALOGUES:
        row = {"family": family, **({"source": source} if source else {"template": template}), "bos": bos, "eos": eos, "prompt": prompt, "reply": reply}
        try:
            row |= pair(template, prompt, reply, bos, eos)
        except AssertionError:
            continue  # a longer reply where the prompt changes: no reference
        except Refused:
            row["refused"] = True
        print(json.dumps(row, ensure_ascii=False))
