"""What a classifier that is ready answers beside the draws that are counted."""

from copy import copy

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from simplicert.classifiers.adapted import of_numbers
from simplicert.classifiers.class_names import in_order_of
from simplicert.classifiers.features import in_order_of_features
from simplicert.classifiers.outputs import outputs_of
from simplicert.classifiers.protocol import Classifier
from simplicert.classifiers.runtimes import RUNTIMES, eagerly
from simplicert.data import Dataset
from simplicert.data.given import check_range
from simplicert.errors import InputError, unknown_name
from simplicert.machine.device import DTYPES, cpu_threads
from simplicert.noises import Noise
from simplicert.sampling.engine import too_large
from simplicert.sampling.glance import GLANCED, Glance, glance
from simplicert.sampling.probe import IMAGES, Questions, see, see_again
from simplicert.sampling.recheck import Recheck
from simplicert.votes import Manifest
from simplicert.votes.sources import Probe

__all__ = ["Asked", "facts_of", "made_for"]


class Asked:
    """A classifier, made ready for the inputs of a data set.

    Args:
        classifier: What is asked.
        dataset: Whose inputs.
        noise: What is added.
        precision: Of the forward pass, like the other arguments.

    Attributes:
        forward: Inputs on the device → what the classifier returns.
        output: What that is.
        classes: How many it has, from one forward pass.

    Raises:
        InputError: It cannot be run like that, or returns no row of outputs.
    """

    def __init__(
        self,
        classifier: Classifier,
        dataset: Dataset,
        *,
        noise: Noise,
        precision: str,
        device: torch.device,
        runtime: str,
    ) -> None:
        if runtime not in RUNTIMES:
            raise unknown_name("runtime", runtime, (*RUNTIMES, "auto"))
        self._classifier, self._dataset, self._noise = classifier, dataset, noise
        self._precision, self._device = precision, device
        self._probes: dict[tuple[object, ...], tuple[Dataset, Probe]] = {}
        self.output = classifier.output
        self.forward = classifier.read(
            classifier.ready(
                dataset.shape, precision=precision, device=device, runtime=runtime
            )
        )
        with eagerly():
            self.classes = classifier.count_classes(self.forward, self._clean(1))

    def on(self, dataset: Dataset) -> "Asked":
        """The same, for other inputs of the same shape."""
        other = copy(self)
        other._dataset = dataset
        return other

    def probe(self, plan: Manifest) -> Probe:
        """What the classifier answers before the first draw.

        What that says of it is found once a batch; of other inputs it is only asked.
        """
        batch = min(plan.batch, len(plan.images) * plan.draws)
        asked = (plan.sigma, self._noise, batch)
        while asked not in self._probes:
            try:
                with cpu_threads(plan.threads), eagerly():
                    found = see(
                        self.ask,
                        self.questions(plan),
                        batch=batch,
                        precision=plan.precision,
                        name=self._classifier.name,
                    )
                self._probes[asked] = self._dataset, found
            except torch.OutOfMemoryError:  # the batch that will be drawn is smaller
                if batch == 1:
                    raise too_large(plan, self._device) from None
                batch //= 2
        dataset, found = self._probes[asked]
        return found if dataset is self._dataset else self.answers_now(plan, found)

    def answers_now(self, plan: Manifest, before: Probe) -> Probe:
        """What it answers to the questions of a probe, about these inputs."""
        with cpu_threads(plan.threads), eagerly():
            return see_again(self.ask, self.questions(plan), before, batch=plan.batch)

    def glance(self, plan: Manifest) -> Glance | None:
        """How the classifier does on the first hundred images, clean and noisy.

        ``None`` where there are no labels.
        """
        if plan.labels is None:
            return None
        labels = np.array(plan.labels[:GLANCED])
        noisy = self.questions(plan, GLANCED).draw(range(len(labels)))
        inputs = {"clean": self._clean(GLANCED), "noisy": noisy}
        with cpu_threads(plan.threads), eagerly():
            predicted = {
                kind: np.concatenate(
                    [
                        self.ask(piece).argmax(dim=1).numpy()
                        for piece in torch.split(each, plan.batch)
                    ]
                )
                for kind, each in inputs.items()
            }
        return glance(
            labels, classes=self.classes, inputs=plan.data.inputs, **predicted
        )

    def recheck(self, plan: Manifest, *, draws: int) -> Recheck | None:
        """What asks some draws again, if they are answered the same another time."""
        if plan.probe is None or not plan.probe.repeatable:
            return None
        return Recheck(self.ask, comparable=self.comparable, plan=plan, draws=draws)

    def questions(self, plan: Manifest, most: int = IMAGES) -> Questions:
        """Noisy copies of the first images, which are never counted."""
        return Questions(
            self._images(most), plan, noise=self._noise, device=self._device
        )

    def read(self, positions: Int[np.ndarray, " n"]) -> np.ndarray:
        """Inputs at these positions.

        Raises:
            InputError: Some are outside [0, 1].
        """
        return check_range(self._dataset.read(positions), self._dataset, positions)

    @torch.inference_mode()
    def ask(self, inputs: Tensor) -> Tensor:
        """Outputs of one pass, to be compared."""
        return self.comparable(self._outputs(inputs))

    def outputs(self, inputs: Tensor) -> Tensor:
        """Outputs of one pass, with their gradient where the classifier has one."""
        with eagerly():
            return self._outputs(inputs)

    def _outputs(self, inputs: Tensor) -> Tensor:
        return outputs_of(
            self.forward,
            inputs,
            name=self._classifier.name,
            output=self._classifier.output,
            classes=self.classes,
        )

    def comparable(self, outputs: Tensor) -> Tensor:
        """In float64 on the CPU, a row each; what is not finite is 0."""
        if self._classifier.output == "labels":
            outputs = torch.nn.functional.one_hot(outputs, self.classes)
        return outputs.double().nan_to_num(posinf=0.0, neginf=0.0).cpu()

    def _images(self, most: int) -> Tensor:
        """The first images, on the device."""
        first = self.read(np.arange(min(most, len(self._dataset))))
        return torch.from_numpy(first).to(self._device)

    def _clean(self, most: int) -> Tensor:
        """The first images, as the model takes them."""
        return self._images(most).to(DTYPES[self._precision])


def facts_of(dataset: Dataset) -> tuple[object, ...]:
    """What of a data set ``made_for`` depends on."""
    return dataset.shape, dataset.class_names, dataset.features, dataset.unit


def made_for(classifier: Classifier, dataset: Dataset) -> Classifier:
    """The classifier of a data set's numbers, in the order of its classes and features.

    Raises:
        InputError: They do not belong together; says in what.
    """
    source, unit = dataset.name, dataset.unit
    if classifier.of_bytes and not unit.is_converted and (unit.high or 0) > 1:
        raise InputError(
            f"{classifier.name} takes bytes, and gets 255 × what it is given, which of "
            f"{unit} would all be 255: divide {source} by 255, and sigma is in levels "
            'with a simplicert.units.Unit(name="levels", low=0, high=255, scale=1 / '
            "255), or --unit levels"
        )
    ordered = in_order_of(classifier, dataset.class_names, source=source)
    ordered = in_order_of_features(ordered, dataset.features, source=source)
    found = of_numbers(ordered, unit)
    _check_shape(found, dataset)
    return found


def _check_shape(classifier: Classifier, dataset: Dataset) -> None:
    """Refuse inputs of another shape than a classifier takes, where that is known.

    Raises:
        InputError: As said.
    """
    needed = classifier.shape
    if needed is not None and not classifier.takes(dataset.shape):
        raise InputError(
            f"{classifier.name} takes images of shape {tuple(needed)}, but "
            f"{dataset.name} has {dataset.shape}: load them at that size"
        )
