"""Certificates → what is told of each input: all of it, or the decision alone."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from simplicert.certificates import ABSTAIN, Certificates
from simplicert.rounding import round_down
from simplicert.serve.service import Service

__all__ = ["DIGITS", "Answer", "Answers", "Conditions", "answers_of"]

DIGITS = 6
"""After the point: radii and lower bounds are rounded down, upper bounds up."""

Reason = Literal["tie", "not separated", "too close", "mechanism"]


class Answer(BaseModel):
    """What is certified about one input.

    With hidden radii only ``predicted`` and ``name`` are there.
    """

    DECISION: ClassVar[frozenset[str]] = frozenset({"predicted", "name"})
    """What is told where radii are hidden: nothing else depends on them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "predicted": 3,
                    "name": "cat",
                    "radius": 0.412067,
                    "band": "0.1 to 0.5",
                    "e0": 0.987143,
                    "e1": 0.011428,
                    "e0_lower": 0.947127,
                    "e1_upper": 0.047219,
                    "draws": 350,
                }
            ]
        }
    )

    predicted: int | None = Field(
        description="The class that the smoothed classifier has on the whole ball; "
        "null: it abstains."
    )
    name: str | None = Field(
        default=None, description="What the class is called, if that is known."
    )
    abstention: Reason | None = Field(
        default=None, description="Why no class is named, as `certify` says it."
    )
    radius: float | None = Field(
        default=None, ge=0, description="Of the ball, rounded down; 0: abstains."
    )
    band: str | None = Field(default=None, description="Where triage puts the radius.")
    e0: float | None = Field(default=None, description="Share of the first class.")
    e1: float | None = Field(default=None, description="Share of the second.")
    e0_lower: float | None = Field(
        default=None, description="Lower bound of the first class's expectation."
    )
    e1_upper: float | None = Field(
        default=None, description="Upper bound of every other class's."
    )
    draws: int | None = Field(default=None, description="Noisy forward passes.")


class Conditions(BaseModel):
    """What every answer rests on."""

    model: str
    sigma: float = Field(description="Standard deviation of the noise, in the unit.")
    noise: str
    norm: str = Field(description="Of the balls.")
    unit: str = Field(description="Of inputs, sigma and radii.")
    alpha: float = Field(
        description="Each certificate is false with at most this probability, for an "
        "input that was chosen before its noise."
    )


class Answers(Conditions):
    """The answer to a request: one entry an input, in the order of the request."""

    request: str = Field(description="By which the log's journal knows it.")
    answers: list[Answer]


def answers_of(certificates: Certificates, service: Service) -> list[Answer]:
    """One answer a row."""
    names = service.class_names
    found = []
    columns = zip(
        certificates.predicted.tolist(),
        certificates.abstention.tolist(),
        round_down(certificates.radius, DIGITS).tolist(),
        round_down(certificates.e0, DIGITS).tolist(),
        round_down(certificates.e1, DIGITS).tolist(),
        round_down(certificates.e0_lower, DIGITS).tolist(),
        (-round_down(-certificates.e1_upper, DIGITS)).tolist(),
        certificates.draws.tolist(),
        certificates.radius.tolist(),
        strict=True,
    )
    for predicted, why, radius, e0, e1, lower, upper, draws, exact in columns:
        named = predicted != ABSTAIN
        decision = Answer(
            predicted=predicted if named else None,
            name=names[predicted] if named and names else None,
        )
        if not service.hide:
            decision = decision.model_copy(
                update={
                    "abstention": why or None,
                    "radius": radius,
                    "band": service.band(exact),
                    "e0": e0,
                    "e1": e1,
                    "e0_lower": lower,
                    "e1_upper": upper,
                    "draws": draws,
                }
            )
        found.append(decision)
    return found
