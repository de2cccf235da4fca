"""No test looks at the machine's clock: it would fail where the machine is busy.

What has to wait for a process does so in ``support/commands.py``; what is about time
gets the clock in ``support/clock.py``.
"""

import re
from pathlib import Path

CLOCK = re.compile(
    r"^ *(import|from) (time|timeit)\b|mark\.timeout|\b(timeout|deadline) *= *\d", re.M
)


def test_no_test_looks_at_the_machine_s_clock():
    files = [
        file
        for name in ("test_*.py", "conftest.py")
        for file in Path(__file__).parent.rglob(name)
    ]
    assert len(files) > 50
    assert [str(f) for f in files if CLOCK.search(f.read_text("utf-8"))] == []
