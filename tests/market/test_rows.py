"""Files of rows: written as they are read, in one step."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from moorage.errors import MoorageError
from moorage.market import rows
from moorage.plan.catalogue import catalog
from moorage.plan.catalogue.offers import Offer
from tests.spec.support import ROOT

FILES = sorted((ROOT / "catalog" / "prices").glob("*.yaml"))
ROW = catalog.price_rows(ROOT / "catalog" / "prices" / "hf-endpoint.yaml")[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_that_is_written_again_is_the_same(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert rows.render(path.stem, catalog.price_rows(path), text) == text


def read_back(path: Path, *some: Offer, before: str = "") -> tuple[Offer, ...]:
    rows.write(path, rows.render("hf-endpoint", some, before))
    return catalog.price_rows(path)


def test_rows_survive_a_file_whatever_they_say(tmp_path: Path) -> None:
    odd = structs.replace(
        ROW,
        name='1.0: #odd"name\\',
        source='a "page": with # and \\',
        usd=Decimal("0.0000125"),
        market="spot",
        status="low-availability",
        free=True,
        quota=0,
    )
    hostile = structs.replace(ROW, vendor="no", region="x, usd: 0}", status="] #", source="null")
    other = structs.replace(ROW, date="2026-11-01", usd=Decimal("100"))
    assert read_back(tmp_path / "rows.yaml", odd, other, hostile) == (odd, other, hostile)


def test_the_comment_and_the_names_of_sources_stay(tmp_path: Path) -> None:
    path = tmp_path / "rows.yaml"
    first = rows.render("hf-endpoint", [ROW], "# mine\n# stays\n")
    assert first.startswith("# mine\n# stays\nprices: hf-endpoint\n")
    named = first.replace("asked-2026-08-20", "docs")
    newer = structs.replace(ROW, name="intel-spr-x3", date="2026-11-24")
    third = structs.replace(newer, name="intel-spr-x5", source="another page")
    assert read_back(path, ROW, newer, third, before=named) == (ROW, newer, third)
    text = path.read_text(encoding="utf-8")
    assert "  docs:\n" in text
    assert "  asked-2026-11-24:\n" in text
    assert "  asked-2026-11-24-2:\n" in text
    assert read_back(path, newer, before=text) == (newer,)
    assert "docs" not in path.read_text(encoding="utf-8")  # nobody needs it any more


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "rows.yaml"
    rows.write(path, "one\n")
    path.chmod(0o640)
    rows.write(path, "two\n")
    assert path.read_text() == "two\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MoorageError, match="cannot be written"):
        rows.write(tmp_path / "file" / "rows.yaml", "text")
