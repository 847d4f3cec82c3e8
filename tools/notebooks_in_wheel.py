"""Puts the notebooks into the wheel, as `asyncio_lessons/notebooks`; hatchling calls it."""

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class NotebooksInWheel(BuildHookInterface):
    """An editable install has none: it uses those of the checkout, as they are now."""

    def initialize(self, version: str, build_data: dict) -> None:
        """Add the folder to what is packed; `version` is "standard" or "editable"."""
        if version == "standard":
            build_data["force_include"]["notebooks"] = "asyncio_lessons/notebooks"
