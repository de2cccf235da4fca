"""Where the draws of a run went that stopped its images, and what others would cost."""

import numpy as np
import pandas as pd

from simplicert.certificates import Certificates

__all__ = ["spending", "stops"]


def stops(certificates: Certificates) -> pd.DataFrame:
    """How many images stopped at each look, and what their draws were.

    Returns:
        One row a look: ``look`` (from 1), ``draws`` (of an image that stops there),
        ``share_of_alpha``, ``images``, ``spent`` (their draws, together).
    """
    looks = certificates.looks
    draws = np.array([look.draws for look in looks])
    images = np.bincount(certificates.look - 1, minlength=len(looks))
    return pd.DataFrame(
        {
            "look": np.arange(1, len(looks) + 1),
            "draws": draws,
            "share_of_alpha": [look.share for look in looks],
            "images": images,
            "spent": images * draws,
        }
    )


def spending(certificates: Certificates) -> pd.DataFrame:
    """How many images are decided, and for how many draws.

    Returns:
        One row: ``images``, ``decided`` (how many of them; NaN where nobody can say),
        ``spent`` (draws of all), ``draws`` (of an image, on average), ``fixed`` (what
        the last look for every image would have been), ``fewer_by``.
    """
    decided, images = certificates.decided, len(certificates)
    spent = int(certificates.draws.sum())
    fixed = images * (certificates.looks[-1].draws if certificates.looks else 0)
    row = {
        "images": images,
        "decided": float("nan") if decided is None else int(decided.sum()),
        "spent": spent,
        "draws": spent / images if images else float("nan"),
        "fixed": fixed,
        "fewer_by": fixed / spent if spent else float("nan"),
    }
    return pd.DataFrame([row])
