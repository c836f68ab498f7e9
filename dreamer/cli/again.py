"""``dreamer dream --recipe FILE``: what an earlier picture says of how it was made, to do it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer.errors import ImageReadError, SettingsError
from dreamer.objectives import Objective
from dreamer.settings import DreamSettings

if TYPE_CHECKING:
    from dreamer.models.vision_model import VisionModel

_SETTINGS = tuple(one.name for one in fields(DreamSettings))


@dataclass(frozen=True)
class Earlier:
    """An earlier dream.

    Attributes:
        file: The picture that tells of it.
        recipe: What it says.
    """

    file: Path
    recipe: Mapping[str, Any]

    @classmethod
    def read(cls, file: Path) -> Earlier:
        """What a picture says.

        Raises:
            ImageReadError: It says nothing.
            SettingsError: It is no dream.
        """
        from dreamer import images

        recipe = images.read_recipe(file)
        if not isinstance(recipe.get("settings"), dict) or not isinstance(recipe.get("source"), dict):
            made = recipe.get("command")
            what = f"was made by `dreamer {made}`" if isinstance(made, str) else "tells of no dream"
            raise SettingsError(f"{file} {what}; expected a picture that `dreamer dream` made")
        return cls(file, recipe)

    @property
    def settings(self) -> dict[str, Any]:
        """All its settings; those that it does not know, from an earlier version, are left to their defaults.

        Files that they name and that are not where they say are taken from beside the picture.
        """
        settings = dict(self.recipe["settings"])
        for name in ("mask", "guide"):
            if isinstance(settings.get(name), str):
                settings[name] = self._found(settings[name])
        if isinstance(settings.get("objective"), str):
            settings["objective"] = Objective.parse(settings["objective"]).with_files(self._found)
        return settings

    def _found(self, file: str) -> str:
        beside = self.file.with_name(Path(file).name or "?")
        return str(beside) if not Path(file).is_file() and beside.is_file() else file

    def photo(self) -> Path:
        """Where its photo is: beside it under the name it had, or for a frame of a zoom beside its folder.

        Raises:
            ImageReadError: It is not there.
        """
        name = str(self.recipe["source"].get("name", ""))
        folder = self.file.absolute().parent
        for place in (folder, folder.parent) if "frame" in self.recipe else (folder,):
            # Only the last part: a recipe must not name files elsewhere.
            photo = place / (Path(name).name or "?")
            if photo.is_file():
                return photo
        raise ImageReadError(
            f"the photo {name!r} that {self.file} was made from is not beside it. "
            f"Say where it is: dreamer dream PHOTO --recipe {self.file}"
        )

    @property
    def took_damaged(self) -> bool:
        """Whether its photo was not whole, and was taken all the same."""
        return self.recipe["source"].get("damaged") is True

    def compare(self, source: Mapping[str, object], settings: DreamSettings, note: Callable[[str], None]) -> None:
        """Say what is no longer as it was then, before the work: the photo, and files that the settings name."""
        if source["sha256"] != self.recipe["source"].get("sha256"):
            note(f"{source['name']} is not the photo that {self.file} was made from, so the dream will be another")
        known = self.recipe.get("files_sha256", {})
        for name, digest in settings.file_digests().items():
            if name in known and known[name] != digest:
                note(f"{name} has changed since {self.file} was made, so the dream will be another")

    def compare_network(self, network: VisionModel, note: Callable[[str], None]) -> None:
        """Say whether the network, or what computes it, is another by now."""
        import keras

        if self.recipe.get("weights_sha256") != network.weights_sha256:
            note(f"the network has other weights than when {self.file} was made, so the dream is another")
        libraries = self.recipe.get("libraries", {})
        now = {"keras": keras.__version__, "backend": keras.backend.backend()}
        for name, version in now.items():
            if libraries.get(name) not in (None, version):
                note(f"{name} was {libraries[name]} and is {version} now, so fine detail may differ")
