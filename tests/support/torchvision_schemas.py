"""Lets torchvision be imported beside a build of torch that lacks its operators.

Its Python parts register kernels for operators that its C++ part defines; where that
does not load, ``import torchvision`` fails, and with it timm and transformers' image
processors. Models and transforms need none of them. For a test environment only:

    PYTHONPATH=tests/support pytest -p torchvision_schemas tests/classifiers/test_real_zoo.py
"""  # noqa: E501 (a command is one line)

import importlib.util
import re
from pathlib import Path

import torch

spec = importlib.util.find_spec("torchvision")
[folder] = (spec and spec.submodule_search_locations) or [""]
registrations = Path(folder) / "_meta_registrations.py"
text = registrations.read_text() if folder else ""
library = torch.library.Library("torchvision", "FRAGMENT")
for name in sorted(set(re.findall(r'(?:@register_meta\("|torchvision::)(\w+)"', text))):
    library.define(f"{name}(Tensor a) -> Tensor")
