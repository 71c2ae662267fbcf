"""Starts an engine in its container: fetches what it loads beside its model, then becomes it.

No engine has a flag that pins an adapter or a chat template to a commit, so they are fetched here.
Where an engine takes its key as an argument only, which everybody sees who lists processes, the
key goes into a file that only it can read. Runs in the engine's image, as `python3 -c`.
"""

import json
import os
import sys
from pathlib import Path

TOKENIZER = ["*.json", "*.model", "*.tiktoken", "*.jinja", "merges.txt", "vocab.txt"]


def main():
    for wanted in json.loads(os.environ.pop("MOORAGE_BESIDE", "[]")):
        fetch(**wanted)
    path = os.environ.pop("MOORAGE_KEY_FILE", "")
    if path:
        keep(path, os.environ.pop("API_KEY"))
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606  the engine is to be this very process


def fetch(what, repo, revision, file, to):
    from huggingface_hub import snapshot_download

    if what == "template":
        Path(to).parent.mkdir(parents=True, exist_ok=True)
        Path(to).write_text(template(repo, revision, file), encoding="utf-8")
    else:
        only = TOKENIZER if what == "tokenizer" else None
        snapshot_download(repo, revision=revision, local_dir=to, allow_patterns=only)


def template(repo, revision, file):
    """The named file; else chat_template.jinja, else what the tokenizer has."""
    from huggingface_hub import file_exists, hf_hub_download

    usual = "chat_template.jinja"
    if file is None and not file_exists(repo, usual, revision=revision):
        found = hf_hub_download(repo, "tokenizer_config.json", revision=revision)
        return json.loads(Path(found).read_text(encoding="utf-8"))["chat_template"]
    found = hf_hub_download(repo, file or usual, revision=revision)
    return Path(found).read_text(encoding="utf-8")


def keep(path, key):
    """The key in YAML, of which JSON is a part."""
    made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(made, "w", encoding="utf-8") as kept:
        kept.write("api-key: " + json.dumps(key))


main()
