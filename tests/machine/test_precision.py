"""The process's settings of precision, while a model runs."""

from threading import Thread

import pytest
import torch

from simplicert.machine.precision import as_recorded


@pytest.fixture
def fast():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    yield "medium"
    torch.set_float32_matmul_precision(before)


def test_one_thread_at_a_time_has_the_settings(fast):
    device, seen = torch.device("cpu"), []

    def other():
        with as_recorded(device):
            seen.append(torch.get_float32_matmul_precision())

    thread = Thread(target=other)
    with as_recorded(device):
        thread.start()
        thread.join(0.2)  # the longer, the likelier one that does not wait is seen
        assert seen == []  # it waits, or would end with our settings put back
        with as_recorded(device):  # this thread's own may be nested
            assert torch.get_float32_matmul_precision() == "highest"
    thread.join()
    assert seen == ["highest"]
    assert torch.get_float32_matmul_precision() == fast
