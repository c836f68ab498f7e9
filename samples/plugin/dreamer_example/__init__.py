"""A plug-in of dreamer: a network, a kind of objective, and presets. Light: nothing here needs Keras or NumPy."""

from dataclasses import dataclass
from pathlib import Path

from dreamer.models.preprocessing import PREPROCESSINGS
from dreamer.models.specs import ModelSpec
from dreamer.models.weights import FileWeights
from dreamer.objectives.terms import Form, Term, quoted_layer

PRESETS = Path(__file__).parent / "presets"
TINY = ModelSpec(
    name="tiny",
    title="a network of two random layers",
    build="dreamer_example.drawing:build",
    weights=FileWeights(Path(__file__)),  # The seed in this file, as it were.
    preprocessing=PREPROCESSINGS["-1..1"],
)


@dataclass(frozen=True)
class Loudest(Term):
    """The largest activation of a layer: loudest:block4b."""

    kind = "loudest"
    layer: str

    @classmethod
    def read(cls, reader):
        """Read what follows the colon."""
        return cls(reader.layer())

    def __str__(self):
        return f"loudest:{quoted_layer(self.layer)}"

    def resolve(self, network):
        """Make sure that there is such a layer."""
        network.check(self.layer)
        return self

    @property
    def form(self):
        """Where its score is, and what that reads."""
        return Form("dreamer_example.drawing:loudest", (self.layer,))
