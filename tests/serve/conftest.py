import pytest

pytest.importorskip("fastapi")

from served import prepared


@pytest.fixture(scope="session")
def service():
    return prepared(names=("dark", "middling", "bright"))
