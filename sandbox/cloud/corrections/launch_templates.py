"""Launch templates."""


def apply() -> None:
    """A version inherits from its source version what it does not state."""
