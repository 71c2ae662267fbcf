"""The one door to the Hugging Face Hub: a repository and a revision become facts, asked once.

    from moorage import hub

    facts = hub.facts("Qwen/Qwen3-8B", "b968826d...", quantization="none", routes=True)
    adapter = hub.reference(Wanted(role="adapter", id="acme/lora", revision="0123..."))

Every request has a deadline, the whole answer has one too, and no answer is read further than it
may be long. A fault is one `MoorageError`: a refusal (exit 1) or a Hub that did not answer (3).
"""

from __future__ import annotations

from moorage.hub.model import facts, head
from moorage.hub.references import reference

__all__ = ["facts", "head", "reference"]
