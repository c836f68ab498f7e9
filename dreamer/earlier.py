"""An earlier dream: what a picture says of how it was made, to do it again.

The one idea: the picture may come from somebody else. So its recipe is checked before anything in it is used, and
what files it names is decided by :class:`dreamer.trust.Source`.

Must not import Keras or anything heavy before a picture is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer import recipes
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import ImageReadError, SettingsError, UntrustedError
from dreamer.mask_kinds import as_file
from dreamer.trust import Source, named_files
from dreamer.wording import shown

if TYPE_CHECKING:
    from dreamer.dreaming.photo import Dream
    from dreamer.dreaming.plan import DreamPlan
    from dreamer.dreaming.steps import DreamStep
    from dreamer.models.network import Network


@dataclass(frozen=True)
class Earlier:
    """An earlier dream.

    Attributes:
        source: The picture that tells of it.
        recipe: What it says.

    Example:
        >>> Earlier.read(Path("photo-dream.jpg")).settings(seed=8)  # doctest: +SKIP
    """

    source: Source
    recipe: Mapping[str, Any]

    @classmethod
    def read(cls, file: Path, *, trust: bool = False, has_options: bool = True) -> Earlier:
        """What a picture says.

        Args:
            file: The picture.
            trust: Whether its recipe may name any file.
            has_options: As :class:`dreamer.trust.Source` has it.

        Raises:
            ImageReadError: It says nothing.
            SettingsError: It is no dream, or something in its recipe is of another kind.
        """
        from dreamer.sources import read_recipe

        recipe = read_recipe(file)
        recipes.check(recipe, file)
        if "settings" not in recipe or "source" not in recipe:
            what = f"was made by `dreamer {recipe['command']}`" if "command" in recipe else "tells of no dream"
            raise SettingsError(f"{file} {what}; expected a picture that `dreamer dream` made")
        return cls(Source(file, trust, has_options), recipe)

    @property
    def file(self) -> Path:
        """The picture."""
        return self.source.path

    @property
    def preset(self) -> dict[str, str]:
        """Which preset it was made with, as recipes say it."""
        return {name: self.recipe[name] for name in ("preset", "preset_sha256") if name in self.recipe}

    def settings(self, **changes: Any) -> DreamSettings:
        """Its settings; those that it does not know, from an earlier version, are left to their defaults.

        Files that they name and that are not where they say are taken from beside the picture.

        Args:
            **changes: Fields of :class:`DreamSettings` on top of them.

        Raises:
            UntrustedError: They name files that the picture may not.
            SettingsError: One of them is impossible, or unknown.
        """
        kept = {name: value for name, value in self._told.values().items() if name not in changes}
        self.source.refuse([(setting, file) for setting, file in named_files(kept) if self._place(file) is None])
        for name, file in named_files(kept):
            if name != "objective":
                kept[name] = self._place(file)
        if kept.get("objective") is not None:
            kept["objective"] = kept["objective"].with_files(lambda file: self._place(file) or file)
        return DreamSettings.of(**kept | changes)

    @cached_property
    def _told(self) -> DreamSettings:
        known = [one.name for one in fields(DreamSettings)]
        unknown = [name for name in self.recipe["settings"] if name not in known]
        if unknown:
            raise SettingsError(
                f"the recipe in {self.file} has a setting {shown(unknown[0])}, which this dreamer does not know; a "
                "newer one may have made it. Update dreamer"
            )
        try:
            return DreamSettings.of(**self.recipe["settings"])
        except SettingsError as error:
            raise SettingsError(f"the recipe in {self.file} cannot be used: {error}") from error

    def _place(self, file: str) -> str | None:
        """Where a file that is named lies: where it says, or beside the picture; None if it may not be named."""
        allowed = [place for place in (file, self._beside(file)) if self.source.may_name(place)]
        there = [place for place in allowed if os.path.isfile(place)]  # noqa: PTH113  It takes any name.
        if there:
            return there[0]
        return file if file in allowed else None

    def _beside(self, file: str) -> str:
        return as_file(str(self.file.parent / (Path(file).name or "?")))

    def photo(self) -> Path:
        """Where its photo is: beside it under the name it had, or for a frame of a zoom beside its folder.

        Raises:
            ImageReadError: It is not there.
            UntrustedError: A link leads from there elsewhere.
        """
        from dreamer import videos

        name = self.recipe["source"].get("name", "")
        folder = self.file.absolute().parent
        hint = f"Say where it is: dreamer dream PHOTO --recipe {self.file}"
        if videos.is_video(name):
            raise ImageReadError(
                f"{self.file} was made from a video, {shown(name)}, and a photo is expected. Name one: "
                f"dreamer dream PHOTO --recipe {self.file}"
            )
        for place in (folder, folder.parent) if "frame" in self.recipe else (folder,):
            # Only the last part: a recipe must not name files elsewhere.
            photo = place / (Path(name).name or "?")
            if os.path.isfile(photo):  # noqa: PTH113  It takes any name.
                if not Source(place / self.file.name, self.source.is_trusted).may_name(str(photo)):
                    raise UntrustedError(
                        f"the photo {photo} is a link to elsewhere. If you mean it, give --trust. {hint}"
                    )
                return photo
        raise ImageReadError(f"the photo {shown(name)} that {self.file} was made from is not beside it. {hint}")

    @property
    def took_damaged(self) -> bool:
        """Whether its photo was not whole, and was taken all the same."""
        return self.recipe["source"].get("damaged") is True

    def compare(self, source: Mapping[str, object], settings: DreamSettings, note: Callable[[str], None]) -> None:
        """Say what is no longer as it was then, before the work: the photo, and files that the settings name."""
        known = self.recipe["source"].get("sha256")  # A dream of an array has none.
        if known is not None and source.get("sha256") != known:
            photo = source.get("name") or "what was given"
            note(f"{photo} is not the photo that {self.file} was made from, so the dream will be another")
        then = {self._place(file) or file: digest for file, digest in self.recipe.get("files_sha256", {}).items()}
        for file, digest in settings.file_digests().items():
            if file in then and then[file] != digest:
                note(f"{file} has changed since {self.file} was made, so the dream will be another")

    def compare_plan(self, plan: DreamPlan, note: Callable[[str], None]) -> None:
        """Say whether the network, the prior, or what computes them, is another by now."""
        import keras

        if self.recipe.get("weights_sha256") != plan.network.weights_sha256:
            note(f"the network has other weights than when {self.file} was made, so the dream is another")
        if plan.prior is not None and self.recipe.get("prior_sha256") not in (None, plan.prior.sha256):
            note(f"the prior has other weights than when {self.file} was made, so the dream is another")
        libraries = self.recipe.get("libraries", {})
        now = {"keras": keras.__version__, "backend": keras.backend.backend()}
        for name, version in now.items():
            if libraries.get(name) not in (None, version):
                note(f"{name} was {libraries[name]} and is {version} now, so fine detail may differ")


def dream_again(
    file: str | Path,
    picture: Any = None,
    *,
    trust: bool = False,
    network: Network | str | None = None,
    on_step: Callable[[DreamStep], None] | None = None,
    progress: bool | None = None,
    preview: bool = False,
    **changes: Any,
) -> Dream:
    """Dream again as an earlier result tells.

    What is no longer as it was then, the photo or the network, becomes a warning.

    Args:
        file: A picture that dreamer made.
        picture: What to dream, as :func:`dreamer.dream` takes it; None for the photo that it was made from, which has
            to lie beside it.
        trust: Whether its recipe may name any file, not only those beside it.
        network: What to dream with, or its name, in place of what the recipe says.
        on_step: As for :func:`dreamer.dream`.
        progress: As for :func:`dreamer.dream`.
        preview: As for :func:`dreamer.dream`.
        **changes: Fields of :class:`DreamSettings` on top of what the recipe says.

    Raises:
        ImageReadError: It holds no recipe, or its photo is not there.
        SettingsError: It is no dream, or its recipe cannot be used.
        UntrustedError: It names files that do not lie beside it.
        Interrupted: As for :func:`dreamer.dream`.

    Example:
        >>> dreamer.dream_again("photo-dream.jpg", seed=8).save("another.jpg")  # doctest: +SKIP
    """
    earlier = Earlier.read(Path(file), trust=trust)
    settings = earlier.settings(**changes)

    from dreamer.dreaming.calls import warn
    from dreamer.dreaming.photo import PhotoDream
    from dreamer.sources import opened

    photo, source = opened(
        earlier.photo() if picture is None else picture,
        max_side=settings.max_size,
        work_bytes=settings.work_bytes,
        damaged_ok=earlier.took_damaged,
    )
    earlier.compare(source, settings, warn)
    dream = PhotoDream(photo, settings, network=network, source=source, preset=earlier.preset, preview=preview)
    earlier.compare_plan(dream.plan, warn)
    return dream.run(note=warn, on_step=on_step, progress=progress)
