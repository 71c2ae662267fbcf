"""What a stack's placements do now: each asked, all at once, in a table.

from moorage import status

report = status.look(status.places(outputs, routes), within_s=6)
print(status.text(report))
report.is_fine
"""

from __future__ import annotations

from moorage.status.calibration import keep
from moorage.status.judge import Report, Row
from moorage.status.look import look
from moorage.status.places import places
from moorage.status.table import as_json, text

__all__ = ["Report", "Row", "as_json", "keep", "look", "places", "text"]
