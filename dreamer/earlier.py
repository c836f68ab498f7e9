"""An earlier dream: what a picture says of how it was made, to do it again.

The one idea: the picture may come from somebody else. So its recipe is checked before anything in it is used, and
what files it names is decided by :class:`dreamer.trust.Source`.

Must not import Keras or anything heavy before a picture is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer import recipes
from dreamer.choosing import told
from dreamer.dreaming.looks import OF_A_LOOK, OF_BOTH, Look
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
        recipe: What it says; of a sheet, what it says of the cell that was picked.
        pick: Which cell of a sheet it is; None where it is no sheet.

    Example:
        >>> Earlier.read(Path("photo-dream.jpg")).settings(seed=8)  # doctest: +SKIP
    """

    source: Source
    recipe: Mapping[str, Any]
    pick: int | str | None = None

    @classmethod
    def read(
        cls, file: Path, *, trust: bool = False, has_options: bool = True, pick: int | str | None = None
    ) -> Earlier:
        """What a picture says.

        Args:
            file: The picture.
            trust: Whether its recipe may name any file.
            has_options: As :class:`dreamer.trust.Source` has it.
            pick: Of a sheet the number of a cell, or the name of the preset that only this cell has.

        Raises:
            ImageReadError: It says nothing.
            SettingsError: It is no dream, or something in its recipe is of another kind; or there is no such cell.
        """
        from dreamer.sources import read_recipe

        recipe = read_recipe(file)
        recipes.check(recipe, file)
        if pick is not None:
            recipe = told.picked(recipe, pick, file)
            recipes.check(recipe, file)
        elif told.is_sheet(recipe):
            raise SettingsError(
                f"{file} is a sheet of several dreams; say which is meant, as in: dreamer dream --pick 7 {file}"
            )
        if "settings" not in recipe or "source" not in recipe:
            what = f"was made by `dreamer {recipe['command']}`" if "command" in recipe else "tells of no dream"
            raise SettingsError(f"{file} {what}; expected a picture that `dreamer dream` made")
        return cls(Source(file, trust, has_options), recipe, pick)

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
        told = self._told.values()
        kept = {name: value for name, value in told.items() if name not in changes}
        if "looks" in kept:
            kept["looks"] = [_without(look, changes) for look in kept["looks"]]
        self.source.refuse([(setting, file) for setting, file in named_files(kept) if self._place(file) is None])
        return DreamSettings.of(**self._placed(kept) | changes)

    def _placed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Settings by name, their files where they are."""
        found = dict(values)
        for name, file in named_files({name: value for name, value in values.items() if name != "looks"}):
            if name != "objective":
                found[name] = self._place(file)
        if found.get("objective") is not None:
            found["objective"] = found["objective"].with_files(lambda file: self._place(file) or file)
        looks = [
            replace(look, settings=DreamSettings.of(**self._placed(look.settings.values())))
            for look in values.get("looks", ())
        ]
        return found | ({"looks": looks} if looks else {})

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
        again = f"dreamer dream PHOTO --recipe {self.file}{'' if self.pick is None else f' --pick {self.pick}'}"
        hint = f"Say where it is: {again}"
        if videos.is_video(name):
            raise ImageReadError(
                f"{self.file} was made from a video, {shown(name)}, and a photo is expected. Name one: {again}"
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

        for recipe, one in zip(self.recipe.get("looks") or [self.recipe], plan.looks or (plan,), strict=False):
            # A picture of a sheet that failed has none.
            if recipe.get("weights_sha256", one.network.weights_sha256) != one.network.weights_sha256:
                note(f"the network has other weights than when {self.file} was made, so the dream is another")
            if one.prior is not None and recipe.get("prior_sha256") not in (None, one.prior.sha256):
                note(f"the prior has other weights than when {self.file} was made, so the dream is another")
        libraries = self.recipe.get("libraries", {})
        now = {"keras": keras.__version__, "backend": keras.backend.backend()}
        for name, version in now.items():
            if libraries.get(name) not in (None, version):
                note(f"{name} was {libraries[name]} and is {version} now, so fine detail may differ")


def _without(look: Look, changes: Mapping[str, Any]) -> Look:
    """A look less what takes another value in all looks, so that nobody asks for its files."""
    usual = DreamSettings().values()
    changed = {name: usual[name] for name in OF_A_LOOK if name in changes and name not in OF_BOTH}
    return replace(look, settings=DreamSettings.merged(look.settings, changed))


def dream_again(
    file: str | Path,
    picture: Any = None,
    *,
    pick: int | str | None = None,
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
            to lie beside it, or for nothing where it was made of nothing.
        pick: Of a sheet the number of a cell, or the name of the preset that only this cell has.
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
    earlier = Earlier.read(Path(file), trust=trust, pick=pick)
    of_photo = {} if picture is None else {"size": None}  # Whatever it was made of, it is of the photo now.
    settings = earlier.settings(**of_photo | changes)

    from dreamer.dreaming.calls import warn
    from dreamer.dreaming.grounds import photo_for
    from dreamer.dreaming.photo import PhotoDream

    if picture is None and settings.size is None:
        picture = earlier.photo()
    photo, source = photo_for(picture, settings, preview=preview, damaged_ok=earlier.took_damaged)
    earlier.compare(source, settings, warn)
    dream = PhotoDream(photo, settings, network=network, source=source, preset=earlier.preset, preview=preview)
    earlier.compare_plan(dream.plan, warn)
    return dream.run(note=warn, on_step=on_step, progress=progress)
