"""What is asked of Hugging Face before anything is created there: wishes, answers, one table.

from moorage import preflight

report = preflight.look(plans, owner="acme/prod", prices=prices)
print(preflight.text(report))
report.is_fine
"""

from __future__ import annotations

from moorage.preflight.ask import look
from moorage.preflight.judge import Report, Row
from moorage.preflight.table import as_json, text
from moorage.preflight.wishes import concerned

__all__ = ["Report", "Row", "as_json", "concerned", "look", "text"]
