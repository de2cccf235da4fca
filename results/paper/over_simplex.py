"""Places of the paper that need no data: Figures 1 to 3, and what it says of them."""

from typing import Any

import numpy as np
import pandas as pd
from studio import AGREES, DIFFERS, PARTLY, UNSAID, Derived, Studio, Table

from simplicert import mechanisms
from simplicert.simplex import Compared, Extreme, simplex_grid
from simplicert.simplex.grid import MAX_RESOLUTION

__all__ = ["PLACES"]

CORNERS = (0.9, 0.95)
"""E0 above which a point counts as near (1, 0)."""

NO_DATA = "Nothing: it needs no network, no images and no draws."


def figure_1(studio: Studio) -> Derived:
    """The triangle, and who is largest where in it."""
    found = studio.compared("fig3-multinomial")
    return Derived(
        verdict=UNSAID,
        ours="The half of the simplex in which something can be certified, E0 > E1, as "
        "a ternary plot, with the regions that the paper's mechanisms win: "
        f"{_shares(found)} of the area.",
        pictures=[
            studio.map(
                "fig3-multinomial",
                "ternary",
                "The simplex, and the regions on it",
                "Ternary axes: E0 right, E1 top, all other classes left. No run: exact "
                "radii, in units of sigma. Colours as in Figure 3.",
            )
        ],
    )


def figure_2(studio: Studio) -> Derived:
    """Cohen's radius less Li's."""
    found = studio.compared("fig2")
    return Derived(
        verdict=AGREES if found.shares["cohen"] < 0.5 else DIFFERS,
        ours=f"Of these two Cohen's is larger in {_share(found, 'cohen')} of the area, "
        "along E0 + E1 = 1, and Li's elsewhere.",
        differs=NO_DATA,
        pictures=[
            studio.map(
                "fig2",
                "plane",
                "cohen − li, in units of sigma",
                "E0 to the right, E1 upwards. Orange: Cohen's radius is larger; "
                "purple: Li's. No run: exact.",
            )
        ],
        tables=[_extremes("Largest and smallest difference", found)],
    )


def figure_3(studio: Studio) -> Derived:
    """The paper's mechanism over the best of the others."""
    soft, hard = studio.compared("fig3-softmax"), studio.compared("fig3-multinomial")
    return Derived(
        verdict=AGREES if _reaches(soft, 5.0) and _reaches(hard, 2.0) else DIFFERS,
        ours=f"Up to {soft.largest[0].value:.2f} (soft) and "
        f"{hard.largest[0].value:.2f} (hard) at a margin of 0.01 from the triangle's "
        f"edges, {soft.largest[-1].value:.2f} and {hard.largest[-1].value:.2f} at "
        "0.0001; neither has a largest value.",
        differs=NO_DATA,
        numbers=[
            ("cullen / lecuyer, soft votes", "up to 5", _by_margin(soft)),
            ("cullen / the others, hard votes", "more than 2", _by_margin(hard)),
        ],
        pictures=[
            studio.map(
                "fig3-softmax",
                "plane",
                "Soft votes: cullen / lecuyer",
                "E0 to the right, E1 upwards; ratio of radii. No run: exact.",
            ),
            studio.map(
                "fig3-multinomial",
                "plane",
                "Hard votes: cullen / the best of the others",
                "The same; black curves part the regions of the largest mechanism.",
            ),
        ],
        tables=[_extremes("Soft votes", soft), _extremes("Hard votes", hard)],
    )


def more_than_double(studio: Studio) -> Derived:
    """Where the paper's radius is more than twice the best of the others."""
    found = studio.compared("fig3-multinomial")
    points = min(5 * studio.resolution // 2, MAX_RESOLUTION)
    fine = simplex_grid([mechanisms.cullen], resolution=points)
    share = float(np.mean(found.comparison.quantity(fine.e0, fine.e1) > 2.0))
    return Derived(
        verdict=AGREES if share else DIFFERS,
        ours=f"It holds, in {100 * share:.2f} % of the area, where the top class is "
        "itself improbable; the median ratio over the area is "
        f"{np.median(found.values):.2f}.",
        notes=[
            "Against neyman_pearson, which the paper sets aside, it is never larger."
        ],
    )


def up_to_five(studio: Studio) -> Derived:
    """Where the paper's radius is five times Lecuyer's."""
    found = studio.compared("fig3-softmax")
    return Derived(
        verdict=AGREES if _reaches(found, 5.0) else DIFFERS,
        ours=f"It holds, and five is no limit: {found.largest[-1].value:.2f} at margin "
        f"0.0001. The median over the area is {np.median(found.values):.2f}, and "
        f"{100 * float(np.mean(found.values > 5)):.1f} % of it is above five, where "
        "both radii vanish.",
    )


def lecuyer_nowhere(studio: Studio) -> Derived:
    """Whether Lecuyer's radius is ever the larger one."""
    found = studio.compared("fig3-softmax")
    least = min(extreme.value for extreme in found.smallest)
    return Derived(
        verdict=AGREES if least > 1.0 and found.shares["lecuyer"] == 0 else DIFFERS,
        ours=f"It holds at every point: by a factor of at least {least:.2f} at margin "
        "0.0001. So the paper's ensemble of soft votes is its own mechanism.",
    )


def cohen_near_the_edge(studio: Studio) -> Derived:
    """How far Cohen's region reaches from E0 + E1 = 1."""
    found = studio.compared("fig3-multinomial")
    won = found.grid.winners() == "cohen"
    most = float(found.grid.e2[won].max())
    return Derived(
        verdict=AGREES if most < 0.1 else DIFFERS,
        ours=f"It holds: in {_share(found, 'cohen')} of the area, with at most "
        f"{most:.3f} left for all other classes.",
    )


def li_near_the_corner(studio: Studio) -> Derived:
    """Who wins near (1, 0)."""
    found = studio.compared("fig3-multinomial")
    winners = found.grid.winners()
    rows: list[dict[str, Any]] = [
        {
            "E0 above": f"{corner:g}",
            **{
                f"{name} %": float(np.mean(winners[found.grid.e0 > corner] == name))
                for name in ("li", "cohen", "cullen")
            },
        }
        for corner in CORNERS
    ]
    mostly = all(row["li %"] > 0.5 for row in rows)
    lens = winners == "li"
    return Derived(
        verdict=AGREES if mostly else PARTLY,
        ours=f"Its region, {_share(found, 'li')} of the area, is a lens that ends at "
        f"(1, 0), with E1 up to {found.grid.e1[lens].max():.3f}; but most of the "
        "corner is Cohen's.",
        tables=[Table(title="Near (1, 0)", frame=pd.DataFrame(rows))],
    )


PLACES = {
    "figure-1": figure_1,
    "figure-2": figure_2,
    "figure-3": figure_3,
    "claim-double": more_than_double,
    "claim-five": up_to_five,
    "claim-lecuyer": lecuyer_nowhere,
    "claim-cohen": cohen_near_the_edge,
    "claim-li": li_near_the_corner,
}
"""What derives each."""


def _share(found: Compared, name: str) -> str:
    return f"{100 * found.shares[name]:.1f} %"


def _shares(found: Compared) -> str:
    order = sorted(found.shares.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {100 * share:.1f} %" for name, share in order)


def _by_margin(found: Compared) -> str:
    values = ", ".join(f"{extreme.value:.2f}" for extreme in found.largest)
    margins = ", ".join(f"{extreme.margin:g}" for extreme in found.largest)
    return f"up to {values} at margins {margins}"


def _reaches(found: Compared, value: float) -> bool:
    return max(extreme.value for extreme in found.largest) > value


def _extremes(title: str, found: Compared) -> Table:
    def row(kind: str, extreme: Extreme) -> dict[str, Any]:
        return {
            found.comparison.label: kind,
            "value": f"{extreme.value:.4f}",
            "E0": f"{extreme.e0:.6g}",
            "E1": f"{extreme.e1:.6g}",
            "margin": f"{extreme.margin:g}",
        }

    rows = [row("largest", each) for each in found.largest]
    rows += [row("smallest", each) for each in found.smallest]
    return Table(title=title, frame=pd.DataFrame(rows))
