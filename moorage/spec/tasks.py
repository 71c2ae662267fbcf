"""The tasks that a model can be served for, in the Hub's own words, and how each is asked."""

from __future__ import annotations

from typing import Final, NamedTuple


class Task(NamedTuple):
    """What a task is called, and the path under /v1 where OpenAI-like servers answer it."""

    says: str
    path: str
    generates: bool = False  # tokens, one after the other: it has a KV cache that grows
    chats: bool = False  # by messages, which wants a chat template
    relayed: bool = True  # by the gateway


_EMBEDDINGS: Final = "embeddings"
_CHAT: Final = "chat/completions"

TASKS: Final[dict[str, Task]] = {
    "text-generation": Task(says="chat and completion", path=_CHAT, generates=True, chats=True),
    "image-text-to-text": Task(says="chat over images", path=_CHAT, generates=True, chats=True),
    "feature-extraction": Task(says="embeddings", path=_EMBEDDINGS),
    "sentence-similarity": Task(says="embeddings of sentences", path=_EMBEDDINGS),
    "text-ranking": Task(says="reranking", path="rerank"),
    "text-classification": Task(says="classes of texts", path="classify", relayed=False),
    "token-classification": Task(says="classes of words", path="classify", relayed=False),
    "summarization": Task(says="summaries", path="completions", generates=True),
    "translation": Task(says="translations", path="completions", generates=True),
    "text-to-image": Task(says="images from texts", path="images/generations"),
    "image-classification": Task(says="classes of images", path="classify", relayed=False),
    "automatic-speech-recognition": Task(
        says="texts from speech", path="audio/transcriptions", generates=True, relayed=False
    ),
    "text-to-speech": Task(says="speech from texts", path="audio/speech", relayed=False),
}
USUAL: Final = "text-generation"
