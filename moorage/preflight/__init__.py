"""What is asked of Hugging Face before anything is created there: wishes, answers, one table.

from moorage import preflight

site = preflight.Site(owner="acme/prod", prices=prices, named=named)
report = preflight.look(plans, site)
print(preflight.text(report))
report.is_fine
"""

from __future__ import annotations

from moorage.preflight.ask import look
from moorage.preflight.judge import Report, Row
from moorage.preflight.table import as_json, text
from moorage.preflight.wishes import Site, concerned

__all__ = ["Report", "Row", "Site", "as_json", "concerned", "look", "text"]
