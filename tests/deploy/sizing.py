"""The formulas of docs/sizing.md, as it has them."""

import json
from typing import Any

from functionary_sgl.prompt.checkpoint import EMBEDDED
from tests.paths import ROOT

PAGE = ROOT / "docs" / "sizing.md"
NANO: dict[str, Any] = json.loads((EMBEDDED / "config.json").read_text())

formulas: dict[str, Any] = {}
for _block in PAGE.read_text().split("```python\n")[1:]:
    exec(_block.partition("```")[0], formulas)
